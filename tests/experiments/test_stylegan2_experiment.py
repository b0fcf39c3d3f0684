"""The StyleGAN2 experiment has the authors' settings, plays on digits and fits color images."""

import jax
import numpy as np
import pytest
from stepping import built, three_steps, traced

from gan_jax import init, make_step
from gan_jax.data import from_arrays


def noise(size, channels):
    return from_arrays("noise", np.random.RandomState(0).randint(0, 256, (32, size, size, channels), np.uint8))


def test_turns_and_average_are_those_of_the_authors_program():
    """Half-lives of the average grow to 10,000 images at batch 32."""
    game = built("stylegan2", "--batch-size", "64", source=noise(8, 1)).phases[0].game
    assert [turn.every for turn in game.turns] == [1, 16, 1, 4]
    assert [float(game.players["g"].ema(images)) for images in (1e3, 1e6)] == [50, 20_000]


def r1_loss(*flags):
    """Plays the turn of R1 alone, once."""
    game = built("stylegan2", "--width", "16", "--batch-size", "4", *flags, source=noise(8, 1)).phases[0].game
    batch = {"x": jax.random.uniform(jax.random.key(0), (1, 4, 8, 8, 1), minval=-1.0)}
    alone = game._replace(turns=(game.turns[1]._replace(every=1),))
    return float(jax.jit(make_step(alone))(init(game, jax.random.key(1), batch), batch)[1]["r1/loss"])


@pytest.mark.slow
def test_weight_of_r1_is_proportional_to_gamma():
    assert r1_loss("--gamma", "0.4") == pytest.approx(4 * r1_loss("--gamma", "0.1"), rel=1e-5)


@pytest.mark.slow
def test_three_steps_on_small_images():
    assert three_steps("stylegan2", source=noise(8, 1)).samples.shape == (50, 8, 8, 1)


@pytest.mark.slow
def test_experiment_fits_color_images():
    assert traced("stylegan2", source=noise(8, 3)) == (50, 8, 8, 3)
