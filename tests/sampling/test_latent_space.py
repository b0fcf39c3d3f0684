"""The latent space of a game: what it is, truncation in closed form, and walks."""

import arena
import jax
import linear_generators as known
import numpy as np
import pytest

from gan_jax import BadInput
from gan_jax.augment.diff_augment import color
from gan_jax.games.augmented import always, play_augmented
from gan_jax.priors import Categorical, ExampleKeys, Normal, Uniform
from gan_jax.sampling.latents import draw_latents, interpolate_latents
from gan_jax.sampling.sampler import sampler
from gan_jax.sampling.space import encode, in_space, space_of, truncate, vectors, walk


def drawn(game, state, n=6, seed=0):
    return encode(game, state, draw_latents(game, jax.random.key(seed), n))


@pytest.mark.parametrize("make", [pytest.param(known.linear, marks=pytest.mark.slow), known.styled])
def test_truncation_to_zero_gives_one_image_and_to_one_the_samples(make):
    game, state = make()
    latents, draw = drawn(game, state), sampler(in_space(game))
    none, half, full = (draw(state, truncate(game, state, latents, psi)) for psi in (0.0, 0.5, 1.0))
    np.testing.assert_allclose(none, np.broadcast_to(none[:1], none.shape), rtol=1e-5)
    np.testing.assert_allclose(full, sampler(game)(state, draw_latents(game, jax.random.key(0), 6)), rtol=1e-4)
    np.testing.assert_allclose(half, (none + full) / 2, rtol=1e-4, atol=1e-5)


def test_truncated_styles_move_towards_their_average():
    game, state = known.styled()
    z = draw_latents(game, jax.random.key(0), 3)["z"]
    w = truncate(game, state, drawn(game, state, 3), 0.25)["w"]
    wanted = known.AVERAGE[None] + 0.25 * z @ known.MAPPING
    np.testing.assert_allclose(w, np.stack(known.LAYERS * [wanted], axis=1), rtol=1e-5)
    np.testing.assert_array_equal(vectors(w), w[:, 0])


@pytest.mark.slow
def test_walks_are_lines_of_styles_and_great_circles_of_noise():
    game, state = known.linear()
    start, end = (draw_latents(game, jax.random.key(seed), 2) for seed in (0, 1))
    path = walk(game, state, start, end, 4)
    np.testing.assert_array_equal(path["z"], interpolate_latents(game, start, end, 4)["z"])
    game, state = known.styled()
    start, end = (drawn(game, state, 2, seed) for seed in (0, 1))
    path = walk(game, state, start, end, 4)
    wanted = np.linspace(start["w"], end["w"], 4, axis=1)
    np.testing.assert_allclose(path["w"], wanted.reshape(path["w"].shape), rtol=1e-5, atol=1e-6)
    assert len(path["keys"]) == 8


def test_first_vector_of_the_prior_is_the_space_of_any_game():
    game = known.linear()[0]._replace(prior={"y": Categorical(3), "c": Uniform(), "z": Normal(4), "more": Normal(2)})
    assert space_of(game).name == "z"


@pytest.mark.parametrize(
    ("prior", "conditions", "says"),
    [({"y": Categorical(3), "keys": ExampleKeys()}, (), "no vector of noise"), ({"z": Normal(4)}, ("a",), "inputs")],
)
def test_games_without_a_latent_vector_or_on_inputs_have_no_space(prior, conditions, says):
    game = known.linear()[0]._replace(prior=prior, conditions=conditions)
    with pytest.raises(BadInput, match=says):
        space_of(game)


def test_augmented_games_keep_their_space_and_growing_ones_sample_at_their_step():
    game = known.styled()[0]
    assert play_augmented(game, [always(color)]).space is game.space
    grown = arena.growing(arena.sgd)
    assert in_space(grown).sample is grown.sample
