"""Parses codes on the command line: values `c1=3,8`, a range `c2:-2:2`, labels by the names of their classes."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gan_jax.errors import BadInput
from gan_jax.priors import Categorical, Code
from gan_jax.sampling.latents import Values, check_codes

COLUMNS = 10
"""The number of values along a row in which a continuous code varies."""


class CodeChoice(NamedTuple):
    """The codes of the samples to draw."""

    given: dict[str, Values]
    """Fixed values by the code's name, cycled over the samples."""
    varied: tuple[str, Values] | None
    """A code and the values that it takes along a row."""


def parse_choice(
    codes: Mapping[str, Code], classes: Sequence[str], labels: Sequence[str], words: Sequence[str], vary: str
) -> CodeChoice:
    """Parses `--labels`, `--codes` and `--vary` together.

    Raises:
        BadInput: a word is malformed, a code is given twice, or is both fixed and varied.
    """
    by_label, by_code = parse_labels(codes, classes, labels), parse_codes(codes, words)
    if by_label.keys() & by_code.keys():
        raise BadInput("--labels and --codes y=... set the same code: give one of them")
    given = {**by_label, **by_code}
    varied = parse_range(codes, vary) if vary else None
    if varied and varied[0] in given:
        raise BadInput(f"--vary {vary}: {varied[0]} is fixed by --labels or --codes: choose one of the two")
    return CodeChoice(given, varied)


def parse_codes(codes: Mapping[str, Code], words: Sequence[str]) -> dict[str, list[float]]:
    """Parses `c1=3,8`, one word per code, to values by name.

    Raises:
        BadInput: a word is malformed or repeats a code, or the code or class is unknown.
    """
    given: dict[str, list[float]] = {}
    for word in words:
        name, _, values = word.partition("=")
        if name in given:
            raise BadInput(f"{name} is given twice: write several values as {name}=0,1")
        given[name] = _parse_numbers(word, values.split(","))
    check_codes(codes, given)
    return given


def parse_labels(codes: Mapping[str, Code], classes: Sequence[str], words: Sequence[str]) -> dict[str, list[int]]:
    """Parses labels, each the name of a class or else its number from 0, to values of the code `y`.

    Where all names are numbers, such as 1 to 11, only names count: `1` must not mean one class and `0` another.

    Raises:
        BadInput: the game has no labels, or a label is unknown.
    """
    if not words:
        return {}
    check_codes(codes, {"y": []})
    named = {name: label for label, name in enumerate(classes)}
    numbered = {str(label): label for label in range(codes["y"].classes)}
    labels = named if classes and all(map(_is_number, classes)) else numbered | named
    for word in words:
        if word not in labels:
            few = f"{', '.join(classes[:10])}{', ...' if len(classes) > 10 else ''}"
            raise BadInput(f"unknown label {word!r}: choose one of {few}")
    return {"y": [labels[word] for word in words]}


def parse_range(codes: Mapping[str, Code], word: str) -> tuple[str, Values]:
    """Parses a code and the values it takes along a row: `c1` for its whole range, `c2:-2:2` from -2 to 2.

    Raises:
        BadInput: the word is malformed, or the code or class is unknown.
    """
    name, *bounds = word.split(":")
    ends = _parse_numbers(word, bounds)
    check_codes(codes, {name: ends})
    if len(ends) not in (0, 2):
        raise _malformed(word)
    code = codes[name]
    if isinstance(code, Categorical):
        first, last = map(int, ends or (0, code.classes - 1))
        way = 1 if first <= last else -1
        return name, range(first, last + way, way)
    return name, np.linspace(*(ends or (code.low, code.high)), COLUMNS).tolist()


def _parse_numbers(word: str, values: Sequence[str]) -> list[float]:
    """Parses finite numbers."""
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        raise _malformed(word) from None
    if not all(map(math.isfinite, numbers)):
        raise _malformed(word)
    return numbers


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _malformed(word: str) -> BadInput:
    return BadInput(f"{word!r} cannot be parsed: write c1=3 or c2=-0.5,0.5 for --codes, and c1 or c2:-2:2 for --vary")
