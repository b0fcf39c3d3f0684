"""The original game on networks that take labels: D(x | y) and G(z | y).

Mirza and Osindero 2014, "Conditional generative adversarial nets", eq. 2 (https://arxiv.org/abs/1411.1784).
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Shaped

from gan_jax.engine.game import Ema, Game, Network, Player, move, turn
from gan_jax.engine.keys import split
from gan_jax.games import vanilla
from gan_jax.games.view import through
from gan_jax.priors import Categorical, Normal, Prior

Condition = Callable[[Mapping[str, Array]], Shaped[Array, "B ..."]]
"""`condition(arrays) -> c [B, ...]`: pure, of arrays by name, those of a batch or latents."""


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

    original = vanilla.game(g, d, tx_g, tx_d, **choices)
    return given(original, {"y": Categorical(classes)}, lambda arrays: arrays["y"], g_dropout)


def given(original: Game, prior: Prior, condition: Condition, g_dropout: bool = False) -> Game:
    """Returns a game of `vanilla.game` with a condition as an argument of both networks: g(z, c) and d(x, c, keys).

    In training, the condition is that of the real batch, for fake images too: both are judged under the same.

    Args:
        original: the game without the condition.
        prior: the distributions of the arrays that the condition is made of, for samples.
        condition: makes the condition of these arrays.
        g_dropout: whether the generator takes keys in training, `g(z, c, keys [B])`, and none for samples.
    """

    def conditioned(nets, batch, keys, step):
        c, noise = condition(batch), (keys,) if g_dropout else ()
        g = nets["g"].wrap(lambda g, z: g(z, c, *noise))
        d = nets["d"].wrap(lambda d, x, *keys: d(x, c, *keys))
        return {**nets, "g": g, "d": d}, batch

    return through(original, conditioned)._replace(
        prior={**original.prior, **prior},
        inputs=lambda batch, latents: {
            **original.inputs(batch, latents),
            "g": (latents["z"], condition(latents)),
            "d": (batch["x"], condition(batch)),
        },
        sample=lambda nets, latents: nets["g"].ema(latents["z"], condition(latents)),
    )


def regression(
    g: Network,
    tx_g: optax.GradientTransformation,
    prior: Prior,
    condition: Condition,
    *,
    distance: Callable[[Array, Array], Float[Array, " B"]],
    z_size: int = 100,
    ema: Ema = 0.0,
) -> Game:
    """Builds the game of the generator alone: `g: min mean(distance(x, g(z, c)))`, x a real example of condition c.

    Its state has the names of `given`, whose generator continues from it as a later phase.
    """
    noise = Normal(z_size)

    def g_loss(nets, batch, keys, step):
        x_fake = nets["g"](noise.draw(split(keys, 1)[0]), condition(batch))
        return jnp.mean(distance(batch["x"], x_fake)), {}

    return Game(
        players={"g": Player(g, tx_g, ema)},
        turns=(turn(move("g", g_loss)),),
        prior={"z": noise, **prior},
        inputs=lambda batch, latents: {"g": (latents["z"], condition(latents))},
        sample=lambda nets, latents: nets["g"].ema(latents["z"], condition(latents)),
        clock="g",
    )
