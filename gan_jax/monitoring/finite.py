"""Numbers that are no longer finite: in which step, and whose."""

import numpy as np

from gan_jax.engine.finite import FINITE_STEPS


class NonFinite(RuntimeError):
    """A run whose numbers are no longer finite; the message is one line saying whose, since when, and what to try.

    The command line prints it and exits with code 3. Nothing is saved of it, so the same command plays it again from
    the last sound checkpoint, to the same end.
    """

    def __init__(self, moves: list[str], step: int):
        self.moves, self.step = moves, step
        self.what = f"the numbers of {' and '.join(moves)} are not finite from step {step:,} on"
        cure = "lower its learning rate, give d a gradient penalty, or go back and on with --rollbacks 3"
        super().__init__(f"{self.what}: {cure}")


def says_something(name: str, value: object, steps: int) -> bool:
    """Whether a chunk's metric is worth a line: that all of its `steps` were finite is not."""
    return not (name.endswith(FINITE_STEPS) and np.all(np.asarray(value) == steps))


def check_finite(record: dict[str, int | float], before: int) -> None:
    """Raises `NonFinite` where a move was not finite in a step of the chunk of `record`, which came after `before`."""
    sound = {name.removesuffix(FINITE_STEPS): int(n) for name, n in record.items() if name.endswith(FINITE_STEPS)}
    if sound:
        first = min(sound.values())
        raise NonFinite([move for move, n in sound.items() if n == first], before + first + 1)
