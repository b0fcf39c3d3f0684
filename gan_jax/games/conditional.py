"""The original game on networks that take labels: D(x | y) and G(z | y).

Mirza and Osindero 2014, "Conditional generative adversarial nets", eq. 2 (https://arxiv.org/abs/1411.1784).
"""

from typing import Any

import optax

from gan_jax.engine.game import Game, Network
from gan_jax.games import vanilla
from gan_jax.games.view import through
from gan_jax.priors import Categorical


def game(
    g: Network,
    d: Network,
    tx_g: optax.GradientTransformation,
    tx_d: optax.GradientTransformation,
    *,
    classes: int,
    g_dropout: bool = False,
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
        g_dropout: whether the generator takes keys in training, `g(z, y, keys [B])`, and none for samples.
        choices: z_size, loss, penalties, turns and ema of `vanilla.game`.
    """

    def labeled(nets, batch, keys, step):
        y, noise = batch["y"], (keys,) if g_dropout else ()
        g = nets["g"].wrap(lambda g, z: g(z, y, *noise))
        d = nets["d"].wrap(lambda d, x, *keys: d(x, y, *keys))
        return {**nets, "g": g, "d": d}, batch

    original = through(vanilla.game(g, d, tx_g, tx_d, **choices), labeled)
    return original._replace(
        prior={**original.prior, "y": Categorical(classes)},
        inputs=lambda batch, latents: {
            **original.inputs(batch, latents),
            "g": (latents["z"], latents["y"]),
            "d": (batch["x"], batch["y"]),
        },
        sample=lambda nets, latents: nets["g"].ema(latents["z"], latents["y"]),
    )
