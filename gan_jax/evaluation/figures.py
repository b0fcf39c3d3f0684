"""Figures of an evaluation: samples beside their nearest real images, and the balance of classes."""

from collections.abc import Iterator
from pathlib import Path

from gan_jax.evaluation.inputs import EvalInputs
from gan_jax.metrics import nearest_neighbors
from gan_jax.metrics.classes import class_shares
from gan_jax.viz import charts
from gan_jax.viz.images import save_png

SHOWN, NEAREST = 12, 5
"""The number of samples in the figure, and of real images beside each."""


def draw_figures(inputs: EvalInputs, folder: Path) -> Iterator[Path]:
    """Draws the figures that the inputs allow into `folder`; yields their paths."""
    fake, real, net = inputs.fake, inputs.real_or_none, inputs.net
    figures = {}
    if real and len(real.images) >= NEAREST:
        _, nearest = nearest_neighbors.neighbors(fake.features[:SHOWN], real.features, NEAREST)
        caption = f"a sample, and the nearest of {len(real.images):,} real images, by {net.name} features"
        figures["neighbors"] = charts.with_neighbors(fake.images[:SHOWN], real.images[nearest], caption)
    if real and net.classes:
        shares = class_shares(fake.predicted, len(net.classes))
        figures["classes"] = charts.class_balance({"samples": shares}, net.classes, inputs.real_shares())
    for name, picture in figures.items():
        save_png(folder / f"{name}.png", picture)
        yield folder / f"{name}.png"
