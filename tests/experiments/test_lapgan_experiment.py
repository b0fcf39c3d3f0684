"""The LAPGAN experiment plays on digits and fits color images."""

import numpy as np
import pytest
from stepping import built, three_steps, traced

from gan_jax import BadInput
from gan_jax.data import from_arrays


def noise(size, channels=3, n=16):
    """Makes noise images."""
    return from_arrays("noise", np.random.RandomState(0).randint(0, 256, (n, size, size, channels), np.uint8))


@pytest.mark.slow
def test_three_steps_on_digits():
    played = three_steps("lapgan")
    assert played.samples.shape == (50, 28, 28, 1) and abs(played.samples).max() <= 1
    assert list(played.state.players) == ["d0", "d1", "g0", "g1"]


def test_experiment_fits_color_images_and_another_loss():
    assert traced("lapgan", "--loss", "hinge", source=noise(32)) == (50, 32, 32, 3)


def test_large_images_have_more_levels():
    for preset, levels in (("small", 3), ("full", 4)):
        [phase] = built("lapgan", "--preset", preset, source=noise(64)).phases
        assert sorted(phase.game.players) == [f"{who}{k}" for who in "dg" for k in range(levels)]


def test_odd_images_are_refused():
    with pytest.raises(BadInput, match="27x27x1 are not supported"):
        built("lapgan", source=noise(27, 1))
