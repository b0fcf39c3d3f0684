"""What networks look at: the maps of a generator's layers, and the gradient of a known discriminator."""

import flax.linen as nn
import jax.numpy as jnp
import linear_generators as known
import numpy as np
import optax
import pytest
from drawn import drawn

from gan_jax import Player
from gan_jax.nets.layers.convolution import Conv
from gan_jax.sampling.attention_maps import activations, saliency
from gan_jax.sampling.latents import draw_latents

SLOPES = np.arange(-6, 6, dtype=np.float32).reshape(2, 3, 2)


class Maps(nn.Module):
    @nn.compact
    def __call__(self, z):
        x = Conv(4)(nn.Dense(12)(z).reshape(-1, 2, 3, 2))
        return Conv(2)(x)


class Slope(nn.Module):
    @nn.compact
    def __call__(self, x):
        scale = self.param("scale", nn.initializers.ones, ())
        return jnp.tensordot(x, scale * SLOPES, 3), x


@pytest.mark.slow
def test_every_layer_that_makes_maps_is_recorded_and_the_score_changes_by_its_slopes():
    net = Maps()
    game, state = known.linear()
    game = game._replace(
        players={"g": Player(net, optax.identity()), "d": Player(Slope(), optax.identity())},
        inputs=lambda batch, latents: {"d": (batch["x"],)},
    )
    players = {"g": known.of(drawn(net, jnp.ones((1, known.Z)))["params"]).players["g"]}
    players["d"] = players["g"]._replace(params={"scale": jnp.float32(3)})
    state, latents = state._replace(players=players), draw_latents(game, known.KEY, 2)
    maps = activations(game, state, latents)
    assert {name: array.shape for name, array in maps.items()} == {"Conv_0": (2, 2, 3, 4), "Conv_1": (2, 2, 3, 2)}
    found = saliency(game, state, jnp.asarray(maps["Conv_1"]), latents)
    np.testing.assert_allclose(found, np.broadcast_to(3 * np.abs(SLOPES).sum(-1), found.shape), rtol=1e-6)
