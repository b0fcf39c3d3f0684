"""What metrics are given and what they answer: checked arrays, and estimates with their error."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Num

from gan_jax.errors import BadInput

Features = Num[np.ndarray, "N D"] | Num[Array, "N D"]
"""One row for every image: what a feature network makes of it."""

OtherFeatures = Num[np.ndarray, "M E"] | Num[Array, "M E"]
"""Features to compare with. That they are as wide as the first is checked by the metrics, which say so in words."""

Probabilities = Num[np.ndarray, "N K"] | Num[Array, "N K"]
"""One row for every image: a classifier's probability of each class. A row adds up to 1."""


class Estimate(NamedTuple):
    """A number estimated from samples, and how far it may be off; `float(estimate)` is the number."""

    value: float
    error: float
    """What it is the error of (standard error, or spread over splits) is said by the function that returns it."""

    def __float__(self) -> float:
        return self.value


def features(x: Features, name: str, least: int = 1) -> Float[np.ndarray, "N D"]:
    """`x` in float64.

    Raises:
        BadInput: `x` is not `[N, D]`, has fewer than `least` rows, or holds what is not finite.
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
            f"{name}: {len(bad)} of {len(x)} samples have features that are not finite, first [{bad[0]}]: find out why"
        )
    return x
