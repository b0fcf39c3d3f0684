"""Least squares GAN. Mao et al. 2017, "Least squares generative adversarial networks", eq. 2."""

from typing import Any

import optax

from gan_jax.engine.game import Game, Network
from gan_jax.games import vanilla
from gan_jax.losses import lsgan


def game(
    g: Network,
    d: Network,
    *,
    labels: tuple[float, float, float] = (0.0, 1.0, 1.0),
    learning_rate: float = 2e-4,
    b1: float = 0.5,
    **choices: Any,
) -> Game:
    """Scores are pulled to labels by their squared distance, so that fakes far on the right side are pulled back too.

    Args:
        g: `g(z [B, Z]) -> x_fake [B, ...]`.
        d: `d(x [B, ...], keys [B]) -> scores [B]`.
        labels: a for fake, b for real, c for what the generator wants. Those of eq. 9 by default; (-1, 1, 0), of eq. 8,
            minimize a Pearson chi^2 divergence.
        learning_rate: of Adam, for both players.
        b1: Adam's decay of the mean gradient.
        choices: latent size, turns and moving average, as of `games.vanilla.game`.
    """
    adam = optax.adam(learning_rate, b1=b1)
    return vanilla.game(g, d, tx_g=adam, tx_d=adam, loss=lsgan(*labels), **choices)
