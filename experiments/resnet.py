"""Residual networks under the hinge loss: SNGAN, and SAGAN, which adds self-attention.

    gan-jax train sngan --data mnist
    gan-jax train sngan --data cifar10-jpg.tar.gz --preset full --batch-size 64 --images 16000000  # for accelerators

A row of `PRESETS` names networks, learning rates and turns. `--preset small` is narrow and has few steps, so it learns
at five times the papers' rates; `full` has the papers' widths, rates and turns.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import optax
from tyro.conf import Fixed

from gan_jax import losses
from gan_jax.cli import train_file
from gan_jax.config.augmentations import Augmentations
from gan_jax.config.experiment import Experiment, Phase, Row, RunConfig
from gan_jax.config.flags import Fraction, PositiveFloat, PositiveInt
from gan_jax.config.registry import Loss, Penalties
from gan_jax.data import Source
from gan_jax.engine.game import turn
from gan_jax.games import vanilla
from gan_jax.games.augmented import play_augmented
from gan_jax.nets import resnet, sagan
from gan_jax.nets.pair import Pair


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Config:
    """The flags of every row."""

    networks: Fixed[Callable[[tuple[int, ...], int, int], Pair]]
    loss: Loss = losses.hinge
    """Adversarial loss."""
    penalty: Penalties = ()
    """Penalties added to the losses."""
    augment: Augmentations = ()
    """What is done at random to the images that the discriminator sees, real and generated: for small data sets."""
    g_width: PositiveInt = 16
    """Channels of the generator's maps; the papers' for 32 x 32 pixels have 256."""
    d_width: PositiveInt = 16
    """Channels of the discriminator's maps; the papers' for 32 x 32 pixels have 128."""
    g_learning_rate: PositiveFloat = 2e-4
    """Learning rate of the generator."""
    d_learning_rate: PositiveFloat = 2e-4
    """Learning rate of the discriminator."""
    decay: bool = False
    """Let both learning rates fall to 0 on a line."""
    b1: Fraction = 0.0
    """Adam's decay rate of the mean gradient."""
    b2: Fraction = 0.9
    """Adam's decay rate of the mean squared gradient."""
    n_critic: PositiveInt = 1
    """Discriminator turns per generator turn."""
    ema: Fraction = 0.999
    """Decay rate of the generator's moving average, from which samples are drawn; 0 for none."""


PRESETS = {
    "sngan": Row(
        "SNGAN, Miyato 2018 (arXiv:1802.05957): residual networks, spectral norm in the discriminator",
        RunConfig(128_000, batch_size=32, checkpoint_every=2000, sample_every=1000),
        {
            "small": Config(resnet.pair, g_learning_rate=1e-3, d_learning_rate=1e-3, decay=True),
            "full": Config(resnet.pair, g_width=256, d_width=128, decay=True, n_critic=5),
        },
    ),
    "sagan": Row(
        "SAGAN, Zhang 2019 (arXiv:1805.08318): self-attention and spectral norm in both networks, two learning rates",
        RunConfig(128_000, batch_size=32, checkpoint_every=2000, sample_every=1000),
        {
            "small": Config(sagan.pair, g_learning_rate=5e-4, d_learning_rate=2e-3),
            "full": Config(sagan.pair, g_width=256, d_width=128, g_learning_rate=1e-4, d_learning_rate=4e-4),
        },
    ),
}


def adam(learning_rate: float, updates: int, config: Config) -> optax.GradientTransformation:
    """Makes the Adam of a player that is updated `updates` times."""
    rate = optax.linear_schedule(learning_rate, 0.0, updates) if config.decay else learning_rate
    return optax.adam(rate, b1=config.b1, b2=config.b2)


def build(source: Source, run: RunConfig, config: Config) -> Experiment:
    """Builds the original game on the row's networks."""
    g, d = config.networks(source.shape, config.g_width, config.d_width)
    steps = -(-run.images // (config.n_critic * run.batch_size))
    game = vanilla.game(
        g,
        d,
        tx_g=adam(config.g_learning_rate, steps, config),
        tx_d=adam(config.d_learning_rate, config.n_critic * steps, config),
        z_size=128,
        loss=config.loss,
        penalties=config.penalty,
        turns=lambda d, g: config.n_critic * (turn(d),) + (turn(g),),
        ema=config.ema,
    )
    return Experiment((Phase(play_augmented(game, config.augment), run.images),), run, grid=(5, 10))


if __name__ == "__main__":
    train_file(__file__)
