"""The StyleGAN2 experiment has the authors' settings, plays on digits and fits color images."""

import numpy as np
import pytest
from stepping import built, three_steps, traced

from gan_jax.data import from_arrays


def noise(size, channels):
    return from_arrays("noise", np.random.RandomState(0).randint(0, 256, (32, size, size, channels), np.uint8))


def test_turns_and_average_are_those_of_the_authors_program():
    """Half-lives of the average grow to 10,000 images at batch 32."""
    game = built("stylegan2", "--batch-size", "64", source=noise(8, 1)).phases[0].game
    assert [turn.every for turn in game.turns] == [1, 16, 1, 4]
    assert [float(game.players["g"].ema(images)) for images in (1e3, 1e6)] == [50, 20_000]


@pytest.mark.slow
def test_weight_of_r1_is_proportional_to_gamma():
    automatic = three_steps("stylegan2", source=noise(8, 1)).metrics["r1/loss"]
    given = three_steps("stylegan2", "--gamma", str(4 * 2e-4), source=noise(8, 1)).metrics["r1/loss"]
    assert given == pytest.approx(4 * automatic, rel=1e-5)


@pytest.mark.slow
def test_three_steps_on_digits():
    played = three_steps("stylegan2")
    assert played.samples.shape == (50, 28, 28, 1)


@pytest.mark.slow
def test_experiment_fits_color_images():
    assert traced("stylegan2", source=noise(32, 3)) == (50, 32, 32, 3)
