"""The pictures of an evaluation: samples beside their nearest real images, and how even the classes are."""

from collections.abc import Iterator
from pathlib import Path

from gan_jax import pictures
from gan_jax.evaluate import charts, copies
from gan_jax.evaluate.classes import class_shares
from gan_jax.evaluate.features import FeatureNet
from gan_jax.judge.evidence import Evidence

SHOWN, NEAREST = 12, 5
"""How many samples are shown, each beside how many of the real images that are nearest to it."""


def draw_sheets(evidence: Evidence, net: FeatureNet, folder: Path) -> Iterator[Path]:
    """Draws what the evidence allows, into `folder`; yields the files."""
    fake, real = evidence.fake, evidence.real_or_none
    sheets = {}
    if real:
        _, nearest = copies.neighbours(fake.features[:SHOWN], real.features, NEAREST)
        sheets["neighbours"] = charts.with_neighbours(fake.images[:SHOWN], real.images[nearest])
        if fake.probabilities is not None:
            shares = {side: class_shares(seen.classes, len(net.classes)) for side, seen in (("", fake), ("real", real))}
            sheets["classes"] = charts.class_balance({"samples": shares[""]}, net.classes, shares["real"])
    for name, picture in sheets.items():
        pictures.save_png(folder / f"{name}.png", picture)
        yield folder / f"{name}.png"
