"""Games whose generators are known matrices: of noise, or of a style for each of two layers."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from gan_jax import Game, Player, State
from gan_jax.engine.game import PlayerState
from gan_jax.games import stylegan2
from gan_jax.priors import Normal

RANDOM = np.random.default_rng(0)
Z, LAYERS, SHAPE = 5, 2, (2, 3, 1)
MATRIX = RANDOM.normal(size=(Z, 6)).astype(np.float32)
STYLES = RANDOM.normal(size=(LAYERS, Z, 6)).astype(np.float32)
MAPPING = np.diag(np.arange(1, Z + 1)).astype(np.float32)
"""w has another variance in every coordinate."""
AVERAGE = RANDOM.normal(size=Z).astype(np.float32)
KEY = jax.random.key(0)


class Linear(nn.Module):
    """Images that are a matrix of z."""

    @nn.compact
    def __call__(self, z):
        return nn.Dense(6)(z).reshape(-1, *SHAPE)


class Styled(nn.Module):
    """Images that are the sum of a matrix of every layer's w, which is another matrix of z."""

    def setup(self):
        self.layers = [nn.Dense(6, use_bias=False) for _ in range(LAYERS)]

    def mapping(self, z):
        w = z @ MAPPING + AVERAGE[None]
        return jnp.broadcast_to(w[:, None], (len(w), LAYERS, Z))

    def synthesis(self, ws, keys):
        return sum(layer(w) for layer, w in zip(self.layers, jnp.unstack(ws, axis=1), strict=True)).reshape(-1, *SHAPE)

    def average(self):
        return jnp.asarray(AVERAGE)

    def __call__(self, z, keys):
        return self.synthesis(self.mapping(z), keys)


def linear(matrix=MATRIX):
    """Returns a game of noise and its state."""
    game = Game(
        players={"g": Player(Linear(), optax.identity())},
        turns=(),
        prior={"z": Normal(Z)},
        inputs=lambda batch, latents: {},
        sample=lambda nets, latents: nets["g"].ema(latents["z"]),
    )
    return game, of({"Dense_0": {"kernel": jnp.asarray(matrix), "bias": jnp.ones(6)}})


def styled():
    """Returns the game of StyleGAN2 on a linear generator, and its state."""
    game = stylegan2.game(Styled(), Linear(), optax.identity(), optax.identity(), z_size=Z)
    params = {f"layers_{i}": {"kernel": jnp.asarray(kernel)} for i, kernel in enumerate(STYLES)}
    return game._replace(players={"g": game.players["g"]}), of(params)


def of(params):
    return State(jnp.int32(0), KEY, {"g": PlayerState(params, {}, (), None)})
