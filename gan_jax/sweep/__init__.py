"""Sweeps: a grid of settings times seeds, trained as few programs, and the table of scores.

`grid` enumerates settings, `batched_runs` trains seeds under vmap, `runner` schedules, `table` and `figure` report.
May import `training` and everything below it.
"""
