"""Wasserstein GAN. Arjovsky et al. 2017, "Wasserstein GAN", Algorithm 1."""

from typing import Any

import optax

from gan_jax import losses
from gan_jax.engine.game import Game, Network, turn
from gan_jax.games import vanilla
from gan_jax.penalties import clip_weights


def game(
    g: Network,
    d: Network,
    *,
    learning_rate: float = 5e-5,
    clip: float = 0.01,
    n_critic: int = 5,
    **choices: Any,
) -> Game:
    """A critic, whose scores are no probabilities, takes `n_critic` turns for one of the generator.

    Args:
        g: `g(z [B, Z]) -> x_fake [B, ...]`.
        d: the critic, `d(x [B, ...], keys [B]) -> scores [B]`.
        learning_rate: alpha, of RMSProp, for both players.
        clip: c, within which the critic's parameters are kept, so that it is Lipschitz.
        n_critic: critic turns in a step.
        choices: latent size and moving average, as of `games.vanilla.game`.
    """
    # As in the authors' program. A critic of clipped weights hands down gradients as small as the root of 1e-8.
    rmsprop = optax.rmsprop(learning_rate, decay=0.99, eps=1e-8, eps_in_sqrt=False)
    return vanilla.game(
        g,
        d,
        tx_g=rmsprop,
        tx_d=optax.chain(rmsprop, clip_weights(clip)),
        loss=losses.wasserstein,
        turns=lambda d, g: n_critic * (turn(d),) + (turn(g),),
        **choices,
    )
