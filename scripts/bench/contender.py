"""What a way to train gives to the process that times it."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

Spec = dict[str, Any]
"""A game's description, by `reference.write`."""

Arrays = dict[str, np.ndarray]
"""The arrays beside it."""


class Contender(NamedTuple):
    """A game that is ready to be compared and timed."""

    first_losses: Callable[[], dict[str, float]]
    """Plays a step without dropout on the reference's inputs; returns every player's loss, averaged over its turns."""
    run: Callable[[int], None]
    """Plays so many steps, on random inputs, to their end."""
    every: int = 1
    """`run` takes multiples of this number of steps."""


class Missing(Exception):
    """The way is not available here; the text is the reason."""


def without_dropout(spec: Spec) -> Spec:
    """Describes the game that is compared: its dropout could not be fed from outside."""
    return spec | {"d": spec["d"] | {"dropout": 0.0}}


def weights(arrays: Arrays, player: str) -> Arrays:
    """Selects the weights of a player, by their paths."""
    start = f"{player}/"
    return {path.removeprefix(start): array for path, array in arrays.items() if path.startswith(start)}


def shuffled(arrays: Arrays, spec: Spec) -> Iterator[np.ndarray]:
    """Yields the indices of a batch for ever, of one permutation of the images after the other."""
    rng, size, batch = np.random.default_rng(0), len(arrays["images"]), spec["batch"]
    while True:
        order = rng.permutation(size).astype(np.int32)
        yield from order[: size // batch * batch].reshape(-1, batch)


def averaged(losses: list[tuple[str, Any]]) -> dict[str, float]:
    """Averages the losses of every player's turns."""
    return {p: float(np.mean([float(loss) for player, loss in losses if player == p])) for p in ("d", "g")}
