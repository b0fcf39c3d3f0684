"""Any two-player game, given labels. Mirza and Osindero 2014, "Conditional generative adversarial nets", eq. 2."""

from typing import Any

import optax

from gan_jax.engine import priors
from gan_jax.engine.game import Game, Move, Network, Turn
from gan_jax.engine.keys import normal
from gan_jax.engine.priors import Categorical
from gan_jax.games import vanilla


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
    """The original game, in which both networks are also told the label y: D(x | y) and G(z | y).

    What the generator makes in training is of the classes of the real batch; samples are of all classes alike.

    Args:
        g: `g(z [B, Z], y [B]) -> x_fake [B, ...]`.
        d: `d(x [B, ...], y [B], keys [B]) -> scores [B]`; the keys are for dropout.
        tx_g: the generator's optimizer.
        tx_d: the discriminator's optimizer.
        classes: how many labels there are, 0, 1, ...
        z_size: Z, the length of the standard normal latent.
        g_dropout: whether the generator draws noise in training too; it is then `g(z, y, keys [B])`, and for samples
            `g(z, y)`.
        turns: who moves when, as in the original game.
        choices: the loss, penalties, view and moving average of the original game, `games.vanilla.game`.
    """

    def given(move: Move) -> Move:
        """A move of the original game, whose networks are given the labels of the batch."""

        def loss(nets, batch, keys, step):
            y = batch["y"]
            noise = (keys,) if g_dropout else ()
            told = {
                "g": nets["g"].wrap(lambda g, z: g(z, y, *noise)),
                "d": nets["d"].wrap(lambda d, x, *keys: d(x, y, *keys)),
            }
            return move.loss({**nets, **told}, batch, keys, step)

        return move._replace(loss=loss)

    def given_turns(d_move: Move, g_move: Move) -> tuple[Turn, ...]:
        return turns(given(d_move), given(g_move))

    original = vanilla.game(g, d, tx_g, tx_d, z_size=z_size, turns=given_turns, **choices)
    labels = {"y": Categorical(classes)}
    return original._replace(
        codes=labels,
        prior=lambda keys: {"z": normal(keys, z_size), **priors.draw(labels, keys)},
        inputs=lambda batch, latents: {
            **original.inputs(batch, latents),
            "g": (latents["z"], latents["y"]),
            "d": (batch["x"], batch["y"]),
        },
        sample=lambda nets, latents: nets["g"].ema(latents["z"], latents["y"]),
    )
