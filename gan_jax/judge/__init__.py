"""Judging a run or a folder of images: which metrics there are, what they look at, and scores stamped with protocol."""
