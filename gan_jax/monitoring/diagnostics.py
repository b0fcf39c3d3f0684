"""Detects symptoms of a failing GAN in its logged metrics while they are still finite.

A move that reports `accuracy_pairs` is a discriminator's, whatever its name (in records of 0.1.0 one that reports
`accuracy_real`). Every other move is on the generator's side, except lazy ones, which are regularizers.

The thresholds leave a wide margin to the healthy runs in RESULTS.md; `scripts/replay_monitors.py` prints it.
"""

from collections.abc import Callable, Sequence
from statistics import NormalDist
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


def discriminators(record: Record) -> list[str]:
    """Returns the discriminators' moves."""
    ends = ("/accuracy_pairs", "/accuracy_real")
    return list(dict.fromkeys(name.rpartition("/")[0] for name in record if name.endswith(ends)))


def is_calibrated(record: Record, move: str) -> bool:
    """Whether the loss of a discriminator's move has a score that is undecided; a critic's, as in WGAN, has none."""
    return f"{move}/accuracy_real" in record


def tells_apart(record: Record, move: str, accuracy: float) -> bool:
    """Whether a discriminator ranks pairs as one whose scores have this accuracy on real and on fake examples.

    With normal scores of equal variance, that one ranks the share Phi(sqrt(2) Phi^-1(accuracy)) right. Records of 0.1.0
    have the accuracies only.
    """
    pairs = record.get(f"{move}/accuracy_pairs")
    if pairs is None:
        return all(record.get(f"{move}/accuracy_{kind}", 0) >= accuracy for kind in ("real", "fake"))
    normal = NormalDist()
    return pairs >= normal.cdf(2**0.5 * normal.inv_cdf(accuracy))


def discriminator_won(records: Records, accuracy: float = 0.99, chunks: int = 5) -> bool:
    """Whether a discriminator has told real from fake in `chunks` chunks, as in `tells_apart`.

    Critics are left out: the better a critic ranks, the better is its estimate of the distance.
    """
    last = records[-chunks:]
    return len(last) == chunks and any(
        all(is_calibrated(record, move) and tells_apart(record, move, accuracy) for record in last)
        for move in discriminators(records[-1])
    )


def gradient_vanished(records: Records, share: float = 1e-3, chunks: int = 3, accuracy: float = 0.9) -> bool:
    """Whether the gradient norm of a move on the generator's side has fallen below `share` of its maximum.

    It also vanishes at an equilibrium; but there no discriminator or critic tells real from fake.
    """
    judges, last = discriminators(records[-1]), records[-chunks:]
    if not any(all(tells_apart(record, move, accuracy) for record in last) for move in judges):
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
    """Whether the norm of a gradient or an update has risen to `times` its earlier median."""
    for name in named(records, "/grad_norm", "/update_norm"):
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
        "gradients or updates are a hundred times their earlier median",
        "lower the learning rate, or give the discriminator a gradient penalty or spectral norm",
    ),
)
