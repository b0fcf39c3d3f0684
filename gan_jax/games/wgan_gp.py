"""WGAN with gradient penalty. Gulrajani et al. 2017, "Improved training of Wasserstein GANs", Algorithm 1."""

from typing import Any

import optax

from gan_jax import losses
from gan_jax.engine.game import Game, Network, turn
from gan_jax.games import vanilla
from gan_jax.penalties import terms


def game(
    g: Network,
    d: Network,
    *,
    learning_rate: float = 1e-4,
    b1: float = 0.0,
    b2: float = 0.9,
    weight: float = 10.0,
    n_critic: int = 5,
    **choices: Any,
) -> Game:
    """A critic whose gradient is pulled to length one at random points between real and fake.

    Args:
        g: `g(z [B, Z]) -> x_fake [B, ...]`.
        d: the critic, `d(x [B, ...], keys [B]) -> scores [B]`, without batch norm: every example has a gradient of its
            own (sec. 4).
        learning_rate: alpha, of Adam, for both players.
        b1: Adam's decay of the mean gradient.
        b2: Adam's decay of the mean squared gradient.
        weight: lambda, of the penalty.
        n_critic: critic turns in a step, for one of the generator.
        choices: latent size and moving average, as of `games.vanilla.game`.
    """
    adam = optax.adam(learning_rate, b1=b1, b2=b2)
    return vanilla.game(
        g,
        d,
        tx_g=adam,
        tx_d=adam,
        loss=losses.wasserstein,
        penalties=(terms.gradient_penalty(weight),),
        turns=lambda d, g: n_critic * (turn(d),) + (turn(g),),
        **choices,
    )
