"""Trains a grid of settings and seeds in few compiled programs, and tabulates the scores.

`grid` enumerates settings, `batched_runs` trains runs under vmap, `runner` schedules, `table` and `figure` report.
May import `training` and everything below it.
"""
