"""Many runs as few programs: a grid of flags times seeds, and the table of what they came to.

`grid` enumerates settings, `batched_runs` trains seeds under vmap, `runner` schedules, `table` and `figure` report.
May import `training` and everything below it.
"""
