"""A few of many labeled examples, `mnist5k:500`: the same number of each class, and always the same ones."""

import re

import numpy as np

from gan_jax.data.source import Source
from gan_jax.errors import BadInput

NAME = re.compile(r"(?P<all>.+):(?P<n>\d+)")
"""`NAME:N`; the version of a TFDS data set, `mnist:3.0.1`, is no N."""

CHUNK = 1024
"""Examples that are read at a time, until there are enough of every class."""


def few(source: Source, n: int) -> Source:
    """`n` examples of a source, `n / K` of each of its K classes.

    They are the first of each class in a fixed order, that of numpy's `RandomState`, whose stream never changes (NEP
    19): of fewer of the same source, all are among more.

    Raises:
        BadInput: there are no labels, `n` is not a multiple of the classes, or a class has not enough examples.
    """
    classes = len(source.classes)
    if not classes:
        raise BadInput(f"{source.name} has no labels, and {n} of it cannot be as many of each class: leave :{n} out")
    if n % classes or not n:
        raise BadInput(f"{n} is not as many of each of {source.name}'s {classes} classes: give a multiple of {classes}")
    order, each = np.random.RandomState(0).permutation(source.size), n // classes
    labels, counts = np.empty(0, np.int32), np.zeros(classes, int)
    for start in range(0, source.size, CHUNK):
        labels = np.concatenate([labels, source.read(order[start : start + CHUNK])["y"]])
        counts = np.bincount(labels, minlength=classes)
        if counts.min() >= each:
            break
    else:
        rare = f"class {source.classes[counts.argmin()]} has {counts.min()}"
        raise BadInput(
            f"{n} examples are {each} of each class, and {source.name}'s {rare}: give fewer, or leave :{n} out"
        )
    kept = np.sort(np.concatenate([order[np.flatnonzero(labels == label)[:each]] for label in range(classes)]))
    return source._replace(name=f"{source.name}_{n}", size=n, read=lambda indices: source.read(kept[indices]))


def whole(name: str) -> str:
    """The name of the source that another's name says it is a few of: `mnist5k_500` is of `mnist5k`."""
    return re.sub(r"_\d+$", "", name)
