"""The pictures of an evaluation: samples beside their nearest real images, and how even the classes are."""

from collections.abc import Iterator
from pathlib import Path

from gan_jax import pictures
from gan_jax.evaluate import charts, copies
from gan_jax.evaluate.classes import class_shares
from gan_jax.judge.evidence import Evidence

SHOWN, NEAREST = 12, 5
"""How many samples are shown, each beside how many of the real images that are nearest to it."""


def draw_sheets(evidence: Evidence, folder: Path) -> Iterator[Path]:
    """Draws what the evidence allows, into `folder`; yields the files."""
    fake, real, net = evidence.fake, evidence.real_or_none, evidence.net
    sheets = {}
    if real and len(real.images) >= NEAREST:
        _, nearest = copies.neighbours(fake.features[:SHOWN], real.features, NEAREST)
        caption = f"a sample, and the nearest of {len(real.images):,} real images, by {net.name} features"
        sheets["neighbours"] = charts.with_neighbours(fake.images[:SHOWN], real.images[nearest], caption)
    if real and net.classes:
        shares = class_shares(fake.predicted, len(net.classes))
        sheets["classes"] = charts.class_balance({"samples": shares}, net.classes, evidence.real_shares())
    for name, picture in sheets.items():
        pictures.save_png(folder / f"{name}.png", picture)
        yield folder / f"{name}.png"
