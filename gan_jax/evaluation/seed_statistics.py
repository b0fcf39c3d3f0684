"""Statistics of a metric over seeds, and numbers as text. NumPy only, no JAX."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np


class Statistics(NamedTuple):
    """Statistics of a metric over seeds; mean and standard deviation are of the finite values only."""

    mean: float
    """NaN without finite values."""
    std: float
    """The sample standard deviation (ddof 1); NaN of fewer than two finite values."""
    finite: int
    best: float
    best_seed: int
    worst: float
    """Not finite if any value is not."""
    worst_seed: int


def summarize(values: Mapping[int, float], higher: bool) -> Statistics:
    """Computes statistics of one value per seed. A value that is not finite counts as the worst."""
    finite = [value for value in values.values() if math.isfinite(value)]

    def cost(seed: int) -> float:
        value = values[seed]
        return math.inf if not math.isfinite(value) else -value if higher else value

    best, worst = min(values, key=cost), max(values, key=cost)
    return Statistics(
        float(np.mean(finite)) if finite else math.nan,
        float(np.std(finite, ddof=1)) if len(finite) > 1 else math.nan,
        len(finite),
        values[best],
        best,
        values[worst],
        worst,
    )


def format_spread(statistics: Statistics, digits: int = 3) -> str:
    """Formats mean ± standard deviation, or the mean of a single value, with this many significant digits."""
    mean = format_number(statistics.mean, digits)
    return mean if math.isnan(statistics.std) else f"{mean} ± {format_number(statistics.std)}"


def format_number(value: float, digits: int = 3) -> str:
    """Formats a number with this many significant digits."""
    if math.isfinite(value) and 1e3 <= abs(value) < 1e6:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}".replace("e-0", "e-").replace("e+0", "e")


def nan_to_none(value: Any) -> Any:
    """Replaces NaN and infinities, which JSON does not have, by None, in nested mappings and lists."""
    if isinstance(value, Mapping):
        return {name: nan_to_none(each) for name, each in value.items()}
    if isinstance(value, list | tuple | range):
        return [nan_to_none(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
