"""Inversion: a generated image returns to its latents, and others to the nearest image that can be generated."""

import linear_generators as known
import numpy as np
import pytest

from gan_jax.sampling import inversion
from gan_jax.sampling.distance import pixels
from gan_jax.sampling.inversion import invert
from gan_jax.sampling.latents import draw_latents
from gan_jax.sampling.sampler import sampler
from gan_jax.sampling.space import encode, in_space


@pytest.fixture(autouse=True)
def few_candidates(monkeypatch):
    monkeypatch.setattr(inversion, "CANDIDATES", 64)


def test_inversion_of_a_generated_image_returns_to_its_latents():
    game, state = known.linear()
    latents = draw_latents(game, known.KEY, 70)  # the first 64 are other candidates than the last six
    latents = {name: leaf[64:] for name, leaf in latents.items()}
    x = sampler(game)(state, latents)
    found = invert(game, state, pixels, x, known.KEY)
    np.testing.assert_allclose(found.latents["z"], latents["z"], atol=0.02)
    assert np.all(found.distance < 1e-3)
    np.testing.assert_allclose(sampler(game)(state, found.latents), x, atol=0.03)


@pytest.mark.slow
def test_styles_of_all_layers_are_found_and_the_noise_is_kept():
    game, state = known.styled()
    x = sampler(game)(state, draw_latents(game, known.KEY, 66))[64:]
    found = invert(game, state, pixels, x, known.KEY)
    assert found.latents["w"].shape == (2, known.LAYERS, known.Z) and found.latents["keys"].shape == (2,)
    np.testing.assert_allclose(sampler(in_space(game))(state, encode(game, state, found.latents)), x, atol=0.05)


@pytest.mark.slow
def test_an_image_that_cannot_be_generated_gives_the_nearest_that_can():
    game, state = known.linear()
    x = np.random.default_rng(1).normal(size=(1, *known.SHAPE)).astype(np.float32)
    found = invert(game, state, pixels, x, known.KEY)
    residual = np.linalg.lstsq(known.MATRIX.T, x.ravel() - 1, rcond=None)[1]
    np.testing.assert_allclose(found.distance, residual, rtol=1e-2)
