"""Class-balanced subsets of a labeled source, such as `mnist5k:500`."""

import re

import numpy as np
from jaxtyping import Int

from gan_jax.data.source import Source
from gan_jax.errors import BadInput

NAME = re.compile(r"(?P<all>.+):(?P<n>\d+)")
"""`NAME:N`; does not match the version of a TFDS data set, `mnist:3.0.1`."""

CHUNK = 1024
"""Number of examples read at a time, until there are enough of every class."""


def balanced_subset(source: Source, n: int) -> Source:
    """Selects `n` examples of a source, `n / K` from each of its K classes.

    They are the first of each class in the fixed order of numpy's `RandomState(0)`, whose stream never changes (NEP
    19). A smaller subset of the same source is therefore part of every larger one.

    Raises:
        BadInput: there are no labels, `n` is not a multiple of K, or a class has too few examples.
    """
    classes = len(source.classes)
    if not classes:
        raise BadInput(f"{source.name} has no labels, so :{n} cannot select {n} of it by class: leave :{n} out")
    if n % classes or not n:
        raise BadInput(f"{n} is not divisible by the {classes} classes of {source.name}: give a multiple of {classes}")
    order, each = np.random.RandomState(0).permutation(source.size), n // classes
    labels, counts = np.empty(0, np.int32), np.zeros(classes, int)
    for start in range(0, source.size, CHUNK):
        labels = np.concatenate([labels, source.read(order[start : start + CHUNK])["y"]])
        counts = np.bincount(labels, minlength=classes)
        if counts.min() >= each:
            break
    else:
        rare = f"class {source.classes[counts.argmin()]} of {source.name} has {counts.min()}"
        raise BadInput(f"{n} examples take {each} of each class, but {rare}: give fewer, or leave :{n} out")
    kept = np.sort(np.concatenate([order[np.flatnonzero(labels == label)[:each]] for label in range(classes)]))
    return selected(source, kept)._replace(name=f"{source.name}_{n}")


def selected(source: Source, rows: Int[np.ndarray, " n"]) -> Source:
    """Takes the examples at these indices, in this order."""
    return source._replace(size=len(rows), read=lambda indices: source.read(rows[indices]))


def whole(name: str) -> str:
    """Removes the subset's size from the name of a source: `mnist5k_500` -> `mnist5k`."""
    return re.sub(r"_\d+$", "", name)
