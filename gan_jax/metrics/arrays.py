"""Inputs and outputs of metrics: validated arrays, and estimates with their error."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Num

from gan_jax.errors import BadInput

Features = Num[np.ndarray, "N D"] | Num[Array, "N D"]
"""Features, one row per image."""

OtherFeatures = Num[np.ndarray, "M E"] | Num[Array, "M E"]
"""Features of a second set. The metrics check that both sets have the same width."""

Probabilities = Num[np.ndarray, "N K"] | Num[Array, "N K"]
"""Class probabilities of a classifier, one row per image; rows sum to 1."""


class Estimate(NamedTuple):
    """An estimate from samples and its error; `float(estimate)` is the value."""

    value: float
    error: float
    """Standard error, or spread over splits: see the function that returns the estimate."""

    def __float__(self) -> float:
        return self.value


def features(x: Features, name: str, least: int = 1) -> Float[np.ndarray, "N D"]:
    """Converts `x` to float64.

    Raises:
        BadInput: `x` is not `[N, D]`, has fewer than `least` rows, or has values that are not finite.
    """
    x = np.asarray(x)
    if x.ndim != 2 or not x.shape[1]:
        raise BadInput(f"{name}: features must be [N, D], not {list(x.shape)}: flatten all but the first axis")
    if len(x) < least:
        raise BadInput(f"{name}: {len(x)} samples are too few, at least {least} are needed: draw more")
    x = np.asarray(x, np.float64)
    if not np.isfinite(x).all():
        bad = np.flatnonzero(~np.isfinite(x).all(axis=1))
        raise BadInput(
            f"{name}: {len(bad)} of {len(x)} samples have features that are not finite, first [{bad[0]}]: remove them"
        )
    return x
