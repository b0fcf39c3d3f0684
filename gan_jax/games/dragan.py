"""DRAGAN. Kodali et al. 2017, "On convergence and stability of GANs", Algorithm 1."""

from typing import Any

import optax

from gan_jax import losses
from gan_jax.engine.game import Game, Network
from gan_jax.games import vanilla
from gan_jax.penalties import terms


def game(
    g: Network,
    d: Network,
    *,
    learning_rate: float = 2e-4,
    b1: float = 0.5,
    weight: float = 10.0,
    **choices: Any,
) -> Game:
    """The original game, in which the discriminator's gradient is pulled to length one around real examples.

    Args:
        g: `g(z [B, Z]) -> x_fake [B, ...]`.
        d: `d(x [B, ...], keys [B]) -> scores [B]`, best without batch norm: every example has a gradient of its own.
        learning_rate: of Adam, for both players.
        b1: Adam's decay of the mean gradient.
        weight: lambda, of the penalty.
        choices: latent size, turns and moving average, as of `games.vanilla.game`.
    """
    adam = optax.adam(learning_rate, b1=b1)
    penalties = (terms.dragan(weight),)
    return vanilla.game(g, d, tx_g=adam, tx_d=adam, loss=losses.non_saturating, penalties=penalties, **choices)
