"""The original game on networks that take labels: D(x | y) and G(z | y).

Mirza and Osindero 2014, "Conditional generative adversarial nets", eq. 2 (https://arxiv.org/abs/1411.1784).
"""

from typing import Any

import optax

from gan_jax.engine.game import Game, Move, Network, Turn
from gan_jax.games import vanilla
from gan_jax.priors import Categorical


def game(
    g: Network,
    d: Network,
    tx_g: optax.GradientTransformation,
    tx_d: optax.GradientTransformation,
    *,
    classes: int,
    z_size: int = 100,
    g_dropout: bool = False,
    turns: vanilla.Turns = vanilla.alternating,
    **choices: Any,
) -> Game:
    """Builds `vanilla.game` with the label y as an argument of both networks.

    In training, fake images have the labels of the real batch; samples have uniform labels.

    Args:
        g: `g(z [B, Z], y [B]) -> x_fake [B, ...]`.
        d: `d(x [B, ...], y [B], keys [B]) -> scores [B]`; keys are for dropout.
        tx_g: the generator's optimizer.
        tx_d: the discriminator's optimizer.
        classes: number of labels, 0, 1, ...
        z_size: Z, the size of the standard normal latent.
        g_dropout: whether the generator takes keys in training, `g(z, y, keys [B])`, and none for samples.
        turns: as in `vanilla.game`.
        choices: loss, penalties and ema of `vanilla.game`.
    """

    def with_labels(move: Move) -> Move:
        """Binds both networks of a move to the labels of the batch."""

        def loss(nets, batch, keys, step):
            y = batch["y"]
            noise = (keys,) if g_dropout else ()
            labeled = {
                "g": nets["g"].wrap(lambda g, z: g(z, y, *noise)),
                "d": nets["d"].wrap(lambda d, x, *keys: d(x, y, *keys)),
            }
            return move.loss({**nets, **labeled}, batch, keys, step)

        return move._replace(loss=loss)

    def labeled_turns(d_move: Move, g_move: Move) -> tuple[Turn, ...]:
        return turns(with_labels(d_move), with_labels(g_move))

    original = vanilla.game(g, d, tx_g, tx_d, z_size=z_size, turns=labeled_turns, **choices)
    return original._replace(
        prior={**original.prior, "y": Categorical(classes)},
        inputs=lambda batch, latents: {
            **original.inputs(batch, latents),
            "g": (latents["z"], latents["y"]),
            "d": (batch["x"], batch["y"]),
        },
        sample=lambda nets, latents: nets["g"].ema(latents["z"], latents["y"]),
    )
