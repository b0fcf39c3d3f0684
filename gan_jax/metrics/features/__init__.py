"""Frozen networks that turn images into the arrays that metrics compare.

`network` is the type, `mnist` and `inception` the networks, the rest is what they need.
May import `metrics.arrays` and `errors` only.
"""
