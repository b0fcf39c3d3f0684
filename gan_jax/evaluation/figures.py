"""The pictures of an evaluation: samples beside their nearest real images, and how even the classes are."""

from collections.abc import Iterator
from pathlib import Path

from gan_jax.evaluation.inputs import EvalInputs
from gan_jax.metrics import nearest_neighbors
from gan_jax.metrics.classes import class_shares
from gan_jax.viz import charts
from gan_jax.viz.images import save_png

SHOWN, NEAREST = 12, 5
"""How many samples are shown, each beside how many of the real images that are nearest to it."""


def draw_sheets(evidence: EvalInputs, folder: Path) -> Iterator[Path]:
    """Draws what the evidence allows, into `folder`; yields the files."""
    fake, real, net = evidence.fake, evidence.real_or_none, evidence.net
    sheets = {}
    if real and len(real.images) >= NEAREST:
        _, nearest = nearest_neighbors.neighbors(fake.features[:SHOWN], real.features, NEAREST)
        caption = f"a sample, and the nearest of {len(real.images):,} real images, by {net.name} features"
        sheets["neighbors"] = charts.with_neighbours(fake.images[:SHOWN], real.images[nearest], caption)
    if real and net.classes:
        shares = class_shares(fake.predicted, len(net.classes))
        sheets["classes"] = charts.class_balance({"samples": shares}, net.classes, evidence.real_shares())
    for name, picture in sheets.items():
        save_png(folder / f"{name}.png", picture)
        yield folder / f"{name}.png"
