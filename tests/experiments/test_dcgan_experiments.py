"""The experiments on DCGAN's networks play on digits and color images."""

import numpy as np
import pytest
from stepping import three_steps, traced

from gan_jax.data import from_arrays

ROWS = ["dcgan", "lsgan", "wgan", "wgan_gp", "dragan", "hinge", "rpgan"]


def slow_except(*fast):
    """Parametrizes over every row and marks all but the `fast` ones as slow."""
    rows = [name if name in fast else pytest.param(name, marks=pytest.mark.slow) for name in ROWS]
    return pytest.mark.parametrize("name", rows)


def color(size=32, n=32):
    """Makes noise images."""
    return from_arrays("noise", np.random.RandomState(0).randint(0, 256, (n, size, size, 3), np.uint8))


@slow_except("dcgan")
def test_three_steps_on_digits(name):
    assert three_steps(name).samples.shape == (50, 28, 28, 1)


@slow_except("hinge")
@pytest.mark.parametrize("preset", ["small", pytest.param("full", marks=pytest.mark.slow)])
def test_rows_fit_color_images(name, preset):
    assert traced(name, "--preset", preset, source=color()) == (50, 32, 32, 3)


@pytest.mark.slow
def test_three_steps_in_color():
    assert three_steps("dcgan", source=color()).samples.shape == (50, 32, 32, 3)
