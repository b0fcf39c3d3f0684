"""A game in Keras: models trained by `train_on_batch`."""

import numpy as np

from bench.contender import Arrays, Contender, Spec, averaged, shuffled, without_dropout
from bench.with_tf import build, limit
from twins.keras_step import make_step

__all__ = ["limit", "make"]


def make(spec: Spec, arrays: Arrays) -> Contender:
    """Prepares a game."""
    step, rng, shape = make_step(spec, *build(spec, arrays)), np.random.default_rng(0), (spec["batch"], 100)
    data, order = arrays["images"].astype(np.float32) * (2 / 255) - 1, shuffled(arrays, spec)  # scaled once

    def run(steps: int) -> None:
        for _ in range(steps):
            step(lambda: data[next(order)], lambda: rng.standard_normal(shape, np.float32))

    def first_losses() -> dict[str, float]:
        # Keras fixes the rate of dropout when it compiles.
        other = without_dropout(spec)
        first = make_step(other, *build(other, arrays)) if spec["d"].get("dropout") else step
        real = iter(arrays["x"])
        return averaged(first(lambda: next(real), lambda: arrays["z"]))

    return Contender(first_losses, run)
