"""Every row of every table plays: its step is traced on its default data, with every preset of every network."""

import pytest
from stepping import SHARED, traced

from gan_jax.config import user_code
from gan_jax.config.discovery import entries
from gan_jax.data import open_source, stacked
from gan_jax.runs.run_data import open_data

LONG = {"acgan", "cyclegan", "infogan", "pggan", "pix2pix", "projection", "sagan", "sngan", "srgan", "stylegan2"}
LONG |= {"dvdgan", "gan_tts", "nextframe", "specgan", "wavegan"}
"""Rows that take long to trace."""


def presets():
    """Lists every row with its presets, `SHARED` ones with their default; these, `LONG` rows and others are slow."""
    for name, entry in sorted(entries().items()):
        row = user_code.load(entry.file).PRESETS[entry.row]
        default, *others = row.presets
        marks = [pytest.mark.slow] if name in SHARED | LONG else []
        yield pytest.param(name, row.run, [], id=f"{name}-{default}", marks=marks)
        for preset in others if name not in SHARED else ():
            yield pytest.param(name, row.run, ["--preset", preset], id=f"{name}-{preset}", marks=pytest.mark.slow)


OWN_SIZE = {"srgan-full": ["--crop", "16"], "gan_tts-full": ["--ups", *"1112228", "--base", "512", "--folds", "2", "8"]}
"""Flags of rows whose settings are for larger images than the digits, or longer sounds than the tones."""


@pytest.mark.parametrize(("name", "run", "flags"), list(presets()))
def test_samples_have_the_shape_of_the_data(name, run, flags):
    small = run.data.startswith("stacked")
    source = stacked(open_source("mnist5k"), n=64) if small else open_data(run)
    flags = flags + OWN_SIZE.get(f"{name}-{flags[-1]}" if flags else name, [])
    made = traced(name, *flags, source=source)
    if name == "cyclegan":
        assert {output: shape[1:] for output, shape in made.items()} == dict.fromkeys(OUTPUTS, (28, 28, 3))
    else:
        assert made[1:] == ((16, 16, 1) if flags[-2:] == ["--crop", "16"] else source.shape)


OUTPUTS = ("fake_b", "cycle_a", "fake_a", "cycle_b")
"""Of a game that translates both ways."""
