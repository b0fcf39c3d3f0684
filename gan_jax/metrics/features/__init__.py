"""Frozen networks that turn images into the arrays that metrics compare.

`network` defines the type, `mnist` and `inception` the networks; the other modules support these.
May import `metrics.arrays` and `errors` only.
"""
