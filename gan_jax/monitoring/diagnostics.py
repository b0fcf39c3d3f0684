"""The ways in which a GAN fails while its numbers are finite, as they show in what a run logs.

Thresholds leave a wide margin to the runs of the families in RESULTS.md, as `scripts/replay_monitors.py` shows.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from gan_jax.runs.run_dir import Record

MetricsLog = Sequence[Record]
"""The last `MEMORY` logged chunks, in order."""

MEMORY = 200


class Symptom(NamedTuple):
    """A way to fail: `shows(records)` says whether it shows at the last of them."""

    name: str
    shows: Callable[[MetricsLog], bool]
    means: str
    cure: str


def series(records: MetricsLog, name: str) -> np.ndarray:
    """The values of a metric, where it was logged and finite."""
    values = np.array([record[name] for record in records if name in record], float)
    return values[np.isfinite(values)]


def named(records: MetricsLog, *ends: str) -> list[str]:
    """The metrics of the last chunk whose names end so."""
    return [name for name in records[-1] if name.endswith(ends)]


def discriminator_won(records: MetricsLog, right: float = 0.99, chunks: int = 5) -> bool:
    """Whether a discriminator has been right about real and about fake examples for so many chunks."""
    for name in named(records, "/accuracy_real"):
        pairs = [series(records[-chunks:], name), series(records[-chunks:], name.replace("_real", "_fake"))]
        if all(len(each) == chunks and each.min() >= right for each in pairs):
            return True
    return False


def gradient_vanished(records: MetricsLog, share: float = 1e-3, chunks: int = 3) -> bool:
    """Whether the gradient of a generator's move has come to less than `share` of its largest, under a loss that fades.

    A gradient also vanishes where a game has come to its equilibrium; but then the discriminator is not right.
    """
    if not discriminator_won(records, right=0.9, chunks=chunks):
        return False
    for name in named(records, "/grad_norm"):
        norms = series(records, name)
        if name.startswith("g") and len(norms) > chunks and norms[-chunks:].max() < share * norms.max():
            return True
    return False


def samples_alike(records: MetricsLog, share: float = 0.3, times: int = 3) -> bool:
    """Whether samples have been less than `share` as different from each other as real examples, and more before.

    Those of a generator that has learned nothing yet are all alike too.
    """
    values = series(records, "diversity")
    return len(values) > times and bool(values[-times:].max() < share <= values.max())


def classes_missing(records: MetricsLog, nats: float = 1.0, times: int = 3) -> bool:
    """Whether the classes of samples, where `--evaluate modes` counts them, have been far from those of the data.

    With ten classes, 1 nat is to draw fewer than four of them.
    """
    values = series(records, "reverse_kl")
    return len(values) >= times and bool(values[-times:].min() > nats)


def oscillates(records: MetricsLog, window: int = 32, share: float = 0.5, swing: float = 0.2) -> bool:
    """Whether a loss swings in one rhythm: one frequency has `share` of its power, and an amplitude of `swing` of it.

    Fisher 1929, "Tests of significance in harmonic analysis": of independent values, one frequency of 15 has half of
    the power once in two thousand windows. At least three swings have to be seen, so that drifting does not count.
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


def explodes(records: MetricsLog, times: float = 100, chunks: int = 3, before: int = 10) -> bool:
    """Whether a gradient or an update has come to so many times its median."""
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
        "what the discriminator hands down is too small to learn from",
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
        "the players chase each other round, and get nowhere",
        "try a lower learning rate, Adam with b1 = 0 or 0.5, a gradient penalty, or draw from a moving average (ema)",
    ),
    Symptom(
        "exploding norms",
        explodes,
        "gradients or updates are a hundred times what they were",
        "lower the learning rate, or give the discriminator a gradient penalty or spectral norm",
    ),
)
