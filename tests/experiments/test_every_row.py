"""Every row of every table plays: its step is traced on its default data, at every preset."""

import pytest
from stepping import traced

from gan_jax.config import user_code
from gan_jax.config.discovery import entries
from gan_jax.data import open_source, stacked

SHARED = {"lsgan", "wgan", "dragan", "rpgan"}
"""Rows that differ from another of their table in loss, penalty and optimizer only."""


def presets():
    """Lists every row with each of its presets; all but the default one, and `SHARED` rows, are slow."""
    for name, entry in sorted(entries().items()):
        row = user_code.load(entry.file).PRESETS[entry.row]
        default, *others = row.presets
        marks = [pytest.mark.slow] if name in SHARED else []
        yield pytest.param(name, row.run.data, [], id=f"{name}-{default}", marks=marks)
        for preset in others:
            yield pytest.param(name, row.run.data, ["--preset", preset], id=f"{name}-{preset}", marks=pytest.mark.slow)


@pytest.mark.parametrize(("name", "data", "flags"), list(presets()))
def test_samples_have_the_shape_of_the_data(name, data, flags):
    source = stacked(open_source("mnist5k"), n=64) if data.startswith("stacked") else open_source(data)
    assert traced(name, *flags, source=source)[1:] == source.shape
