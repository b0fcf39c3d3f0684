"""Whether a run is still sound, as seen from what it logs."""

import math

from gan_jax.run_folder import Record

VITAL = ("loss", "grad_norm", "update_norm")
"""What a move logs of itself, and that must be finite."""


class Broken(RuntimeError):
    """A run whose numbers are no longer finite; the message is one line saying whose, when, and what to try.

    The command line prints it and exits with code 3. Nothing is saved of it, so the same command plays it again from
    the last sound checkpoint, to the same end.
    """


def check_finite(record: Record, before: int) -> None:
    """Raises `Broken` where a move's loss, gradient or update was not finite in the steps after `before`."""
    moves = broken(record)
    if moves:
        steps = f"in steps {before + 1:,} to {record['step']:,}"
        cure = "lower its learning rate, or give the discriminator a gradient penalty"
        raise Broken(f"the numbers of {' and '.join(moves)} are no longer finite ({steps}): {cure}")


def broken(record: Record) -> list[str]:
    """The moves whose loss, gradient or update is not finite, in the order of their names."""
    vital = (name.rpartition("/") for name in record)
    return sorted({move for move, _, what in vital if what in VITAL and not math.isfinite(record[f"{move}/{what}"])})
