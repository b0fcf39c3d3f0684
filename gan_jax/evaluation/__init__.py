"""Scores of runs and of image folders, stamped with their protocol.

`suite` lists the metrics, `inputs` defines their inputs, `protocol` stamps results, `evaluator` scores during training;
`pair_metrics` are those of images against their targets, which `image_sets` pairs by name.
May import `sampling` and everything below it; never `training`.
"""
