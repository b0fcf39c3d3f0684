"""A GAN small enough for tests, in two phases: the second trains a larger generator."""

import optax

from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, RunConfig
from gan_jax.config.flags import PositiveFloat
from gan_jax.data import Source
from gan_jax.games import vanilla
from gan_jax.nets import mlp


def experiment(
    source: Source,
    common: RunConfig = RunConfig(images=960, batch_size=8, log_every=20, sample_every=30, checkpoint_every=40),
    learning_rate: PositiveFloat = 1e-3,
) -> Experiment:
    """A tiny fully connected GAN.

    Args:
        source: The real images.
        common: The flags of every experiment.
        learning_rate: Learning rate of Adam.
    """

    def game(widths):
        g, d = mlp.Generator(shape=source.shape, widths=widths), mlp.Discriminator(widths=(8,))
        return vanilla.game(g, d, optax.adam(learning_rate), optax.adam(learning_rate), z_size=4, ema=0.9)

    first = min(common.images, 400)
    phases = Phase(game((8,)), first), Phase(game((8, 16)), common.images - first)
    return Experiment(phases=tuple(phase for phase in phases if phase.images), common=common, grid=(2, 3))


if __name__ == "__main__":
    train_file(__file__)
