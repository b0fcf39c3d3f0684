"""Figures of an evaluation: samples beside their nearest real examples, and the balance of classes."""

from collections.abc import Iterator
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jaxtyping import UInt8

from gan_jax.data.modality import Modality
from gan_jax.evaluation.inputs import EvalInputs, Examples
from gan_jax.metrics import nearest_neighbors
from gan_jax.metrics.classes import class_shares
from gan_jax.sampling.pictures import draw_samples
from gan_jax.viz import charts
from gan_jax.viz.images import save_png

PAD = 2
"""Pixels around an image in a grid."""

SHOWN, NEAREST = 12, 5
"""The number of samples in the figure, and of real examples beside each."""


def draw_figures(inputs: EvalInputs, folder: Path) -> Iterator[Path]:
    """Draws the figures that the inputs allow into `folder`; yields their paths."""
    fake, real, net = inputs.fake, inputs.real_or_none, inputs.net
    figures = {}
    if real and len(real.examples) >= NEAREST:
        _, nearest = nearest_neighbors.neighbors(fake.features[:SHOWN], real.features, NEAREST)
        caption = f"a sample, and the nearest of {len(real.examples):,} real ones, by {net.name} features"
        shown = _pictures(net.kind, fake.examples[:SHOWN]), _pictures(net.kind, real.examples[nearest.ravel()])
        beside = shown[1].reshape(*nearest.shape, *shown[0].shape[1:])
        figures["neighbors"] = charts.with_neighbors(shown[0], beside, caption)
    if real and net.classes:
        shares = class_shares(fake.predicted, len(net.classes))
        figures["classes"] = charts.class_balance({"samples": shares}, net.classes, inputs.real_shares())
    for name, picture in figures.items():
        save_png(folder / f"{name}.png", picture)
        yield folder / f"{name}.png"


def _pictures(kind: Modality, examples: Examples) -> UInt8[np.ndarray, "N H W C"]:
    """Draws a picture of every example, without the border that one has in a grid."""
    drawn = [draw_samples(kind, np.asarray(kind.decode(jnp.asarray(each[None]))), 1, 1) for each in examples]
    return np.stack(drawn)[:, PAD:-PAD, PAD:-PAD]
