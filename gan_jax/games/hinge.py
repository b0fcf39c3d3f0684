"""The hinge game. Lim and Ye 2017, "Geometric GAN"; Miyato et al. 2018, "Spectral normalization", eq. 16 and 17."""

from typing import Any

import optax

from gan_jax import losses
from gan_jax.engine.game import Game, Network, turn
from gan_jax.games import vanilla


def game(
    g: Network,
    d: Network,
    *,
    learning_rate: float = 2e-4,
    b1: float = 0.0,
    b2: float = 0.9,
    n_critic: int = 5,
    **choices: Any,
) -> Game:
    """The discriminator stops caring for scores beyond the margins -1 and 1; the generator raises its own.

    Args:
        g: `g(z [B, Z]) -> x_fake [B, ...]`.
        d: `d(x [B, ...], keys [B]) -> scores [B]`, with spectral norm, say.
        learning_rate: alpha, of Adam, for both players.
        b1: Adam's decay of the mean gradient.
        b2: Adam's decay of the mean squared gradient.
        n_critic: discriminator turns in a step, for one of the generator.
        choices: latent size and moving average, as of `games.vanilla.game`.
    """
    adam = optax.adam(learning_rate, b1=b1, b2=b2)
    return vanilla.game(
        g,
        d,
        tx_g=adam,
        tx_d=adam,
        loss=losses.hinge,
        turns=lambda d, g: n_critic * (turn(d),) + (turn(g),),
        **choices,
    )
