"""Codes in the words of a command line: `c1=3,8` gives values, `c2:-2:2` a range of them, and labels have names."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gan_jax.engine.priors import Categorical, Code
from gan_jax.errors import BadInput
from gan_jax.sampling.latents import Values, check_codes

COLUMNS = 10
"""Of a row along which a number varies."""


class Choice(NamedTuple):
    """What samples are asked for."""

    given: dict[str, Values]
    """Values that are dealt in turn, by the code's name."""
    varied: tuple[str, Values] | None
    """A code, and the values that it takes along a row."""


def parse_choice(
    codes: Mapping[str, Code], classes: Sequence[str], labels: Sequence[str], words: Sequence[str], vary: str
) -> Choice:
    """The words of `--labels`, `--codes` and `--vary` together.

    Raises:
        BadInput: one of them cannot be read, a code is given twice, or is fixed and varied at once.
    """
    by_label, by_code = parse_labels(codes, classes, labels), parse_codes(codes, words)
    if by_label.keys() & by_code.keys():
        raise BadInput("--labels and --codes y=... are the same: give one of them")
    given = {**by_label, **by_code}
    along = parse_range(codes, vary) if vary else None
    if along and along[0] in given:
        raise BadInput(f"--vary {vary}: {along[0]} is fixed by --labels or --codes: choose one of the two")
    return Choice(given, along)


def parse_codes(codes: Mapping[str, Code], words: Sequence[str]) -> dict[str, list[float]]:
    """`c1=3,8`, a word for each code, as values by name.

    Raises:
        BadInput: a word cannot be read or names a code again, or there is no such code or class.
    """
    given: dict[str, list[float]] = {}
    for word in words:
        name, _, values = word.partition("=")
        if name in given:
            raise BadInput(f"{name} is given twice: write several values as {name}=0,1")
        given[name] = _numbers(word, values.split(","))
    check_codes(codes, given)
    return given


def parse_labels(codes: Mapping[str, Code], classes: Sequence[str], words: Sequence[str]) -> dict[str, list[int]]:
    """Labels, each by the name of its class in the data, or by its number where no class has that name, as `y`.

    Raises:
        BadInput: there are no labels, or none of that name or number.
    """
    check_codes(codes, {"y": []} if words else {})
    found = [classes.index(word) if word in classes else int(word) if word.isdecimal() else None for word in words]
    for word, label in zip(words, found, strict=True):
        if label not in range(codes["y"].classes):
            few = f"{', '.join(classes[:10])}{', ...' if len(classes) > 10 else ''}"
            raise BadInput(f"label {word!r} is none of this game's: they are {few}")
    return {"y": found} if found else {}


def parse_range(codes: Mapping[str, Code], word: str) -> tuple[str, Values]:
    """A code and the values it takes in turn: `c1` all there are, `c2:-2:2` from where to where.

    Raises:
        BadInput: the word cannot be read, or there is no such code or class.
    """
    name, *bounds = word.split(":")
    ends = _numbers(word, bounds)
    check_codes(codes, {name: ends})
    if len(ends) not in (0, 2):
        raise _unread(word)
    code = codes[name]
    if isinstance(code, Categorical):
        first, last = map(int, ends or (0, code.classes - 1))
        way = 1 if first <= last else -1
        return name, range(first, last + way, way)
    return name, np.linspace(*(ends or code), COLUMNS).tolist()


def _numbers(word: str, values: Sequence[str]) -> list[float]:
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        raise _unread(word) from None
    if not all(map(math.isfinite, numbers)):
        raise _unread(word)
    return numbers


def _unread(word: str) -> BadInput:
    return BadInput(f"{word!r} cannot be read: codes are given as c1=3 or c2=-0.5,0.5, and varied as c1 or c2:-2:2")
