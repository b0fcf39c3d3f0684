"""A GAN on points, small enough for tests of sweeps: one or two phases of different batch sizes, and flags of
every kind."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import optax

from gan_jax import losses
from gan_jax.cli import train_file
from gan_jax.config.experiment import Evaluation, Experiment, Phase, RunConfig
from gan_jax.config.flags import Fraction, PositiveFloat
from gan_jax.config.registry import Loss, Penalties
from gan_jax.data import Source
from gan_jax.engine.game import Latents, Metrics
from gan_jax.games import vanilla
from gan_jax.nets import mlp
from gan_jax.toy import networks


def experiment(
    source: Source,
    common: RunConfig = RunConfig(
        images=120, batch_size=8, data="ring", log_every=5, sample_every=10, checkpoint_every=10
    ),
    loss: Loss = losses.non_saturating,
    penalty: Penalties = (),
    learning_rate: PositiveFloat = 1e-2,
    momentum: Fraction = 0.0,
    scored: bool = True,
) -> Experiment:
    """A tiny GAN on points.

    Args:
        source: The real points.
        common: The flags of every experiment.
        loss: Loss of both players.
        penalty: Penalties of both players.
        learning_rate: Learning rate of gradient descent.
        momentum: Momentum; 0 for none, so that the experiment branches on a float.
        scored: Whether runs have scores.
    """

    def game(widths):
        g, d = networks.PointGenerator(widths=widths), mlp.Discriminator(widths=(4,))
        tx = optax.sgd(learning_rate, momentum=momentum or None)
        return vanilla.game(g, d, tx, tx, z_size=2, loss=loss, penalties=penalty, ema=0.9)

    def scores(nets: Mapping[str, Any], latents: Latents) -> Metrics:
        return {"spread": jnp.std(nets["g"].ema(latents["z"]))}

    evaluation = Evaluation(scores, 16, frozenset(("spread",)), lambda scores: scores["spread"] > 1e-3)
    first = min(common.images, 120)
    phases = Phase(game((4,)), first), Phase(game((4, 4)), common.images - first, 2 * common.batch_size)
    return Experiment(
        phases=tuple(phase for phase in phases if phase.images),
        common=common,
        evaluation=evaluation if scored else None,
        preview=lambda game: lambda state: jnp.full((4, 6, 1), state.step % 256).__array__().astype("uint8"),
    )


if __name__ == "__main__":
    train_file(__file__)
