"""Scores of runs and of image folders, stamped with their protocol.

`suite` lists the metrics, `inputs` what they look at, `protocol` the stamp, `evaluator` scores during training.
May import `sampling` and everything below it; never `training`.
"""
