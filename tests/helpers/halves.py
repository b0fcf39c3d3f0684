"""The Dirac-GAN in two phases of half the run each, with learning rates that fall along the run, as a user's file."""

import numpy as np
import optax

from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, RunConfig
from gan_jax.data import Source
from gan_jax.games import vanilla
from gan_jax.toy.networks import DiracDiscriminator, DiracGenerator


def experiment(
    source: Source,
    common: RunConfig = RunConfig(images=160, batch_size=8, data="dirac", log_every=5, checkpoint_every=5),
) -> Experiment:
    """Two games of one parameter each, one after the other.

    Args:
        source: The real points.
        common: The flags of every experiment.
    """
    half = common.images // 2

    def game(learning_rate):
        tx = optax.adam(optax.linear_schedule(learning_rate, learning_rate / 10, common.images // common.batch_size))
        return vanilla.game(DiracGenerator(), DiracDiscriminator(), tx, tx, z_size=1)

    phases = Phase(game(0.1), half), Phase(game(0.03), common.images - half)
    return Experiment(phases, common, preview=lambda game: lambda state: np.zeros((4, 6, 1), np.uint8))


if __name__ == "__main__":
    train_file(__file__)
