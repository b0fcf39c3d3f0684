"""SeFa and GANSpace on generators whose directions are known."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import linear_generators as known
import numpy as np
import optax
import pytest
from drawn import drawn as drawn_variables

from gan_jax import Player
from gan_jax.games import stylegan2
from gan_jax.nets import stylegan2 as nets
from gan_jax.sampling.latents import draw_latents
from gan_jax.sampling.space import encode
from gan_jax.sampling.unsupervised import ganspace, sefa


def drawn(game, state, n):
    return encode(game, state, draw_latents(game, known.KEY, n))


def assert_directions(found, wanted, atol):
    """Rows are compared as unit vectors, up to their sign."""
    found = found / np.linalg.norm(found, axis=1, keepdims=True)
    np.testing.assert_allclose(np.abs(np.sum(found * wanted, axis=1)), 1, atol=atol)
    assert (found.max(axis=1) >= -found.min(axis=1)).all(), "the largest component is positive"


@pytest.mark.parametrize(
    ("make", "matrix"), [(known.linear, known.MATRIX), (known.styled, np.concatenate(known.STYLES, axis=1))]
)
def test_sefa_of_a_linear_generator_gives_its_singular_vectors(make, matrix):
    found = sefa(*make(), drawn(*make(), 10), 3)
    left, values, _ = np.linalg.svd(matrix, full_matrices=False)
    assert_directions(found.directions, left.T[:3], 1e-5)
    np.testing.assert_allclose(found.shares, values[:3] ** 2 / np.sum(values**2), rtol=1e-4)


@pytest.mark.slow
def test_ganspace_of_styles_gives_their_principal_components():
    """They are the axes, of deviation 5, 4, 3, ..."""
    found = ganspace(*known.styled(), drawn(*known.styled(), 1000), 2)
    assert_directions(found.directions, np.eye(known.Z)[[4, 3]], 0.02)
    np.testing.assert_allclose(found.shares, np.array([25, 16]) / 55, atol=0.05)


class TwoLayers(nn.Module):
    """What goes into the second layer varies with the first value of z most, then with the second."""

    @nn.compact
    def __call__(self, z):
        y = jnp.exp(nn.Dense(2)(z))
        return nn.Dense(6)(y).reshape(-1, *known.SHAPE)


@pytest.mark.slow
def test_ganspace_of_noise_gives_directions_of_the_second_layers_inputs():
    game = known.linear()[0]._replace(players={"g": Player(TwoLayers(), optax.identity())})
    kernel = jnp.zeros((known.Z, 2)).at[0, 0].set(1.0).at[1, 1].set(0.5)
    params = TwoLayers().init(known.KEY, jnp.ones((1, known.Z)))["params"]
    params = params | {"Dense_0": {"kernel": kernel, "bias": jnp.zeros(2)}}
    state = known.of(params)
    found = ganspace(game, state, drawn(game, state, 1000), 2)
    assert_directions(found.directions, np.eye(known.Z)[[0, 1]], 0.02)


@pytest.mark.slow
def test_sefa_of_stylegan2_is_of_the_weights_of_all_its_styles():
    g = nets.Generator((4, 2), side=3, channels=1, w_size=5, mapping_layers=1)
    game = stylegan2.game(g, known.Linear(), optax.identity(), optax.identity(), z_size=6)
    game = game._replace(players={"g": game.players["g"]})
    latents = draw_latents(game, known.KEY, 10)
    variables = drawn_variables(g, latents["z"], latents["keys"])
    state = known.of(variables.pop("params"))
    state = state._replace(players={"g": state.players["g"]._replace(stats=variables)})
    leaves = jax.tree_util.tree_leaves_with_path(state.players["g"].params["synthesizer"])
    kernels = [leaf / np.sqrt(5) for path, leaf in leaves if path[-1].key == "kernel" and leaf.ndim == 2]
    assert len(kernels) == 5, "two sizes, with two images and three convolutions"
    found = sefa(game, state, encode(game, state, latents), 5)
    left, values, _ = np.linalg.svd(np.concatenate(kernels, axis=1))
    assert_directions(found.directions, left.T, 1e-3)
    np.testing.assert_allclose(found.shares, values**2 / np.sum(values**2), rtol=1e-3)
