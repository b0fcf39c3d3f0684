"""Unpaired data: two data sets of any sizes, shuffled each in an order of its own."""

import numpy as np
from jaxtyping import Int

from gan_jax.data.source import Examples, Source, decode_parts, in_chunks, renamed
from gan_jax.errors import BadInput

AUTO = "auto"
"""Word for the two domains that the data itself names."""


def unpaired(a: Source, b: Source) -> Source:
    """Puts two sources side by side as `a` and `b`, with labels `y_a` and `y_b` where there are.

    The size is that of the larger. Example `i` is read at `i` modulo the size of each part; in training, where each
    part has an order of its own, no example meets the same one twice in a row.

    Raises:
        BadInput: a source has other arrays than images or points `x` and labels `y`.
    """
    parts = tuple(_domain(source, side) for source, side in ((a, "a"), (b, "b")))
    name = f"{a.name}_and_{b.name}" if a.name != b.name else a.name
    classes = a.classes if a.classes == b.classes else ()
    report = "; ".join(f"{side}: {each.report}" for side, each in (("a", a), ("b", b)) if each.report)
    split = a.split if a.split == b.split else f"{a.split},{b.split}"
    return merge(parts)._replace(name=name, classes=classes, report=report, split=split)


def by_class(source: Source, a: str, b: str) -> Source:
    """Makes unpaired data of two classes of a labeled source, which it reads once for the labels.

    Raises:
        BadInput: there is no such class, or no example of it.
    """
    for each in (a, b):
        if each not in source.classes:
            known = ", ".join(source.classes) or "none"
            raise BadInput(f"{source.name} has no class {each!r}: choose one of its classes ({known})")
    labels = np.concatenate([chunk["y"] for chunk in in_chunks(source)])
    made = unpaired(*(_of_class(source, labels, each) for each in (a, b)))
    return made._replace(name=source.name)


def the_two_classes(source: Source, b: str = AUTO) -> Source:
    """Makes unpaired data of a source of two classes: of the first and the second, or of the other class and `b`.

    Raises:
        BadInput: there are more classes, fewer, or none of that name.
    """
    if len(source.classes) != 2:
        has = f"{len(source.classes)} classes" if source.classes else "no classes"
        raise BadInput(f"{source.name} has {has}, not two: give the images of domain b as a data set of their own")
    others = [each for each in source.classes if each != b]
    return by_class(source, others[0], others[1] if b == AUTO else b)


def merge(parts: tuple[Source, ...]) -> Source:
    """Makes one source of parts whose arrays have different names; its name and report are those of the first."""

    def read(indices: Int[np.ndarray, " B"]) -> Examples:
        found = [part.read(np.asarray(indices) % part.size) for part in parts]
        return {name: leaf for examples in found for name, leaf in examples.items()}

    return parts[0]._replace(
        size=max(part.size for part in parts),
        spec={name: leaf for part in parts for name, leaf in part.spec.items()},
        read=read,
        decode=lambda examples, keys: decode_parts(parts, len(parts) * (examples,), keys),
        parts=parts,
    )


def _domain(source: Source, side: str) -> Source:
    names = {"x": side, "y": f"y_{side}"}
    if source.parts or not source.spec.keys() <= names.keys():
        raise BadInput(f"{source.name} has the arrays {', '.join(source.spec)}: unpaired data is made of images x")
    return renamed(source, names)


def _of_class(source: Source, labels: Int[np.ndarray, " N"], name: str) -> Source:
    members = np.flatnonzero(labels == source.classes.index(name))
    if not len(members):
        raise BadInput(f"{source.name} has no example of the class {name}: choose another split or class")
    read = source.read
    return plain(source)._replace(name=name, size=len(members), read=lambda indices: read(members[indices]))


def plain(source: Source) -> Source:
    """Removes the labels of a source, whose examples are all of one class."""
    return source._replace(
        spec={"x": source.spec["x"]},
        decode=lambda examples, keys: {"x": source.decode(examples, keys)["x"]},
        classes=(),
    )
