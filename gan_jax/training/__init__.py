"""Trains, resumes, restores and reproduces runs.

`train` trains one run, `loop` is the loop that it shares with `sweep`, `restore` rebuilds a run from its folder.
May import `monitoring` and everything below it.
"""
