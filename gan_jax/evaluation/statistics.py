"""A number over seeds, as it is told in tables and files. NumPy and text, no JAX."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np


class Statistics(NamedTuple):
    """A metric over seeds. Mean and sample standard deviation are over the finite values; NaN where there are none."""

    mean: float
    std: float
    """NaN of fewer than two finite values."""
    finite: int
    best: float
    best_seed: int
    worst: float
    """Not finite where any value is not."""
    worst_seed: int


def statistics(values: Mapping[int, float], higher: bool) -> Statistics:
    """Of a metric's value for every seed; a value that is not finite is the worst there is."""
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


def spread(statistics: Statistics) -> str:
    """Mean ± standard deviation, or the mean alone where there is but one value."""
    mean = number(statistics.mean)
    return mean if math.isnan(statistics.std) else f"{mean} ± {number(statistics.std)}"


def number(value: float) -> str:
    """Three digits, as short as they can be told."""
    if math.isfinite(value) and 1e3 <= abs(value) < 1e6:
        return f"{value:,.0f}"
    return f"{value:.3g}".replace("e-0", "e-").replace("e+0", "e")


def strict(value: Any) -> Any:
    """Numbers that JSON has no word for, as None."""
    if isinstance(value, Mapping):
        return {name: strict(each) for name, each in value.items()}
    if isinstance(value, list | tuple | range):
        return [strict(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
