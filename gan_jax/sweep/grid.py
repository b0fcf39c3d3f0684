"""Enumerates the grid of settings, and groups the combinations that one program can train."""

import csv
import itertools
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float32

from gan_jax.config.discovery import Build
from gan_jax.config.experiment import flags_affecting
from gan_jax.config.flags import parse, to_argv, unknown_flag
from gan_jax.errors import BadInput
from gan_jax.sweep.sweep_dir import FREE

UNVARIED = {
    "seed": "give --seeds, and --seed for the first",
    "run_dir": "a sweep has one folder",
    "best": "the table has the best of every metric",
}
"""Advice for flags that cannot be varied."""


class Combination(NamedTuple):
    """One setting of the grid."""

    varied: dict[str, str]
    """The values of the varied flags, as given."""
    kwargs: dict[str, Any]
    """The arguments of the experiment."""
    settings: dict[str, Any]
    """The values of all flags, for JSON."""
    files: tuple[Path, ...]
    """The user's files that the settings refer to."""


def parse_vary(texts: Iterable[str]) -> dict[str, list[str]]:
    """Parses `name=a,b` to the values of each flag. A value with a comma is written in double quotes.

    Raises:
        BadInput: no "=", an empty value, or a value or flag given twice.
    """
    varied: dict[str, list[str]] = {}
    for text in texts:
        name, equals, listed = text.partition("=")
        name = name.removeprefix("--").replace("-", "_")
        if not equals or not name:
            raise BadInput(f"--vary {text}: write a flag and its values, as in --vary learning-rate=1e-3,1e-4")
        try:
            values = [value.strip() for value in next(csv.reader([listed], skipinitialspace=True, strict=True), [""])]
        except csv.Error as error:
            raise BadInput(f"--vary {text}: the quotes cannot be parsed ({error})") from None
        if not values or not all(values):
            raise BadInput(f"--vary {text}: a value is empty")
        if name in varied or len(set(values)) < len(values):
            raise BadInput(f"--vary {text}: {name if name in varied else 'a value'} is given twice")
        varied[name] = values
    return varied


def combinations(
    load: Callable[[Sequence[str]], Build], argv: Sequence[str], varied: Mapping[str, Sequence[str]], prog: str
) -> list[Combination]:
    """Returns all combinations of the values of `varied`, the last flag varying fastest; `argv` has the other flags.

    Raises:
        BadInput: unknown flag, invalid value, or a flag that cannot be varied.
    """
    base = parse(load(argv), argv, prog, given=["source"]).settings
    for name in varied:
        if name in flags_affecting("evaluation"):
            raise BadInput(f"--vary {name}: scores of different protocols are not comparable")
        if name in FREE:
            raise BadInput(f"--vary {name}: {UNVARIED.get(name, 'it does not change what is trained')}")
        if name not in base:
            raise BadInput(f"--vary {name}: {unknown_flag(f'--{name}', base)}")
    grid = []
    for values in itertools.product(*varied.values()):
        chosen = dict(zip(varied, values, strict=True))
        flags = [word for name, value in chosen.items() for word in _flag(name, value, base[name])]
        flags = [*argv, *flags]
        parsed = parse(load(flags), flags, prog, given=["source"])
        grid.append(Combination(chosen, *parsed))
    return grid


def _flag(name: str, value: str, example: Any) -> list[str]:
    """Returns the words that set a flag; `example` is another value of the flag."""
    if isinstance(example, bool):
        if value.lower() not in ("true", "false"):
            raise BadInput(f"--vary {name}: {value!r} is neither true nor false")
        return to_argv({name: value.lower() == "true"})
    return to_argv({name: value.split() if isinstance(example, list) else value})


def group_by_structure(grid: Sequence[Combination]) -> list[list[Combination]]:
    """Groups combinations that differ in floating-point numbers only."""
    groups: dict[Hashable, list[Combination]] = {}
    for combination in grid:
        leaves, tree = jax.tree.flatten(combination.kwargs)
        groups.setdefault((tree, tuple(map(_static, leaves))), []).append(combination)
    return list(groups.values())


def _static(leaf: Any) -> Hashable:
    """Returns a hashable key of a leaf: its type for floats, which can be vmapped, and otherwise its value."""
    try:
        hash(leaf)
    except TypeError:
        return "object", id(leaf)
    return float if type(leaf) is float else (type(leaf), leaf)


class VariedFloats(NamedTuple):
    """The floats in which combinations of one group differ, and the arguments as a function of them."""

    values: Float32[np.ndarray, "C K"]
    kwargs: Callable[[Sequence[Any]], dict[str, Any]]
    """`kwargs(floats [K])`: the arguments of the experiment; the floats may be traced."""


def varied_floats(group: Sequence[Combination]) -> VariedFloats:
    """Extracts the floats that differ within a group of `group_by_structure`."""
    flat = [jax.tree.leaves(combination.kwargs) for combination in group]
    tree = jax.tree.structure(group[0].kwargs)
    differ = [i for i, column in enumerate(zip(*flat, strict=True)) if type(column[0]) is float and len({*column}) > 1]

    def kwargs(values: Sequence[Any]) -> dict[str, Any]:
        leaves = list(flat[0])
        for i, value in zip(differ, values, strict=True):
            leaves[i] = value
        return jax.tree.unflatten(tree, leaves)

    return VariedFloats(np.array([[row[i] for i in differ] for row in flat], np.float32), kwargs)
