"""Detects symptoms of a failing GAN in its logged metrics while they are still finite.

A move that reports `accuracy_pairs` is a discriminator's, whatever its name (in records of 0.1.0 one that reports
`accuracy_real`). Every other move is on the generator's side, except lazy ones, which are regularizers.

The thresholds leave a wide margin to the healthy runs in RESULTS.md; `scripts/replay_monitors.py` prints it.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from gan_jax.runs.run_dir import Record

Records = Sequence[Record]
"""The last `MEMORY` logged chunks, in order."""

MEMORY = 200


class Symptom(NamedTuple):
    """A kind of failure; `shows(records)` tests for it at the last record."""

    name: str
    shows: Callable[[Records], bool]
    means: str
    cure: str


def series(records: Records, name: str) -> np.ndarray:
    """Returns the finite values of a metric, in order."""
    values = np.array([record[name] for record in records if name in record], float)
    return values[np.isfinite(values)]


def named(records: Records, *ends: str) -> list[str]:
    """Returns the names of the last record's metrics with one of these endings."""
    return [name for name in records[-1] if name.endswith(ends)]


def discriminator_won(records: Records, right: float = 0.99, chunks: int = 5) -> bool:
    """Whether the accuracy on real and on fake examples has been at least `right` for `chunks` chunks.

    Critics whose scores are never undecided, as in WGAN, report no accuracy: to rank is their task. Ranking all pairs
    is no symptom of the others either: a discriminator that is unsure of every example may do so, and teaches well.
    """
    for name in named(records, "/accuracy_real"):
        pairs = [series(records[-chunks:], name), series(records[-chunks:], name.replace("_real", "_fake"))]
        if all(len(each) == chunks and each.min() >= right for each in pairs):
            return True
    return False


def discriminators(records: Records) -> list[str]:
    """Returns the discriminators' moves at the last record."""
    return list(dict.fromkeys(name.rpartition("/")[0] for name in named(records, "/accuracy_pairs", "/accuracy_real")))


def tells_apart(record: Record, move: str, pairs: float, right: float) -> bool:
    """Whether a discriminator ranks the share `pairs` of pairs right.

    Records of 0.1.0 have no pairs: there both accuracies must be `right`.
    """
    if (ranked := record.get(f"{move}/accuracy_pairs")) is not None:
        return bool(ranked >= pairs)
    return all(record.get(f"{move}/accuracy_{kind}", 0) >= right for kind in ("real", "fake"))


def gradient_vanished(records: Records, share: float = 1e-3, chunks: int = 3) -> bool:
    """Whether the gradient norm of a move on the generator's side has fallen below `share` of its maximum.

    It also vanishes at an equilibrium; but there no discriminator or critic tells real from fake. Normal scores with an
    accuracy of 90 % rank 96.5 % of pairs right.
    """
    judges, last = discriminators(records), records[-chunks:]
    if not any(all(tells_apart(record, move, pairs=0.965, right=0.9) for record in last) for move in judges):
        return False
    for name in named(records, "/grad_norm"):
        move, norms = name.rpartition("/")[0], series(records, name)
        if move in judges or f"{move}/played" in records[-1]:
            continue
        if len(norms) > chunks and norms[-chunks:].max() < share * norms.max():
            return True
    return False


def samples_alike(records: Records, share: float = 0.3, times: int = 3) -> bool:
    """Whether the diversity ratio has been below `share` for `times` previews, after an earlier value above it.

    The second condition excludes untrained generators, whose samples are alike too.
    """
    values = series(records, "diversity_ratio")
    return len(values) > times and bool(values[-times:].max() < share <= values.max())


def classes_missing(records: Records, nats: float = 1.0, times: int = 3) -> bool:
    """Whether the reverse KL of the classes of samples (`--evaluate modes`) has exceeded `nats` `times` times.

    With ten classes, 1 nat corresponds to fewer than four of them.
    """
    values = series(records, "reverse_kl_classes")
    return len(values) >= times and bool(values[-times:].min() > nats)


def oscillates(records: Records, window: int = 32, share: float = 0.5, swing: float = 0.2) -> bool:
    """Whether one frequency has `share` of a loss's detrended power, with an amplitude of `swing` times its mean.

    At least three periods must fit into the window, so that a drift does not count. With independent values, one of the
    15 frequencies reaches half of the power in one of two thousand windows: Fisher 1929, "Tests of significance in
    harmonic analysis".
    """
    for name in named(records, "/loss"):
        values = series(records, name)[-window:]
        if len(values) < window:
            continue
        time = np.arange(window)
        level = values - np.polyval(np.polyfit(time, values, 1), time)
        power = np.abs(np.fft.rfft(level))[1:-1] ** 2
        highest = 2 + int(np.argmax(power[2:]))
        amplitude = 2 * np.sqrt(power[highest]) / window
        if power[highest] > share * power.sum() and amplitude > swing * np.abs(values).mean():
            return True
    return False


def explodes(records: Records, times: float = 100, chunks: int = 3, before: int = 10) -> bool:
    """Whether the norm of a gradient has risen to `times` its earlier median."""
    for name in named(records, "/grad_norm"):
        norms = series(records, name)
        if len(norms) >= before + chunks and norms[-chunks:].min() > times * np.median(norms[:-chunks]):
            return True
    return False


SYMPTOMS = (
    Symptom(
        "discriminator won",
        discriminator_won,
        "it tells real from fake nearly every time, and teaches the generator little",
        "lower its learning rate, make it smaller, or give it dropout or a gradient penalty",
    ),
    Symptom(
        "generator's gradient vanished",
        gradient_vanished,
        "the gradient from the discriminator is too small to learn from",
        "try a loss that does not saturate, such as non_saturating or lsgan, or a weaker discriminator",
    ),
    Symptom(
        "samples alike",
        samples_alike,
        "the generator has collapsed: it draws nearly the same whatever the latent",
        "try another seed, a lower learning rate, a gradient penalty, or a discriminator that sees several samples",
    ),
    Symptom(
        "classes missing",
        classes_missing,
        "the generator draws few of the classes",
        "try a conditional game, another loss, or a discriminator that sees several samples",
    ),
    Symptom(
        "oscillation",
        oscillates,
        "the players cycle around each other without converging",
        "try a lower learning rate, Adam with b1 = 0 or 0.5, a gradient penalty, or a moving average (ema)",
    ),
    Symptom(
        "exploding norms",
        explodes,
        "gradients are a hundred times their earlier median",
        "lower the learning rate, or give the discriminator a gradient penalty or spectral norm",
    ),
)
