"""Every row of every table plays: its step is traced, at every preset, on its default data."""

import pytest
from stepping import traced

from gan_jax.config import user_code
from gan_jax.config.discovery import entries
from gan_jax.data import open_source, stacked


def presets():
    """Lists every row with each of its presets."""
    for name, entry in sorted(entries().items()):
        row = user_code.load(entry.file).PRESETS[entry.row]
        for preset in row.presets:
            yield name, row.run.data, ["--preset", preset] if len(row.presets) > 1 else []


@pytest.mark.parametrize(
    ("name", "data", "flags"), list(presets()), ids=lambda part: part if isinstance(part, str) else "".join(part[1:])
)
def test_samples_have_the_shape_of_the_data(name, data, flags):
    source = stacked(open_source("mnist5k"), n=64) if data.startswith("stacked") else open_source(data)
    assert traced(name, *flags, source=source)[1:] == source.shape
