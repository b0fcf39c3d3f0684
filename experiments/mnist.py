"""The two GANs of the classic tutorials: fully connected, and convolutional.

    gan-jax train mnist_mlp                              # 5,000 digits, no download
    gan-jax train mnist_mlp --data mnist                 # all 60,000, through tensorflow-datasets
    gan-jax train mnist_dcgan                            # 2,000 steps in 13 to 16 minutes on two CPU cores
    gan-jax train mnist_dcgan --data mnist --preset tutorial --images 128000

The tutorials sample from the last parameters (--ema 0), with a speckled background; here samples come from their moving
average. The convolutional tutorial's own settings (Adam 1e-3 with b1 0.9, no batch norm) fail: the discriminator wins
within a few hundred steps and the generator draws black. RESULTS.md shows both.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import optax
from tyro.conf import Fixed

from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, Row, RunConfig
from gan_jax.config.flags import Fraction, PositiveFloat, PositiveInt
from gan_jax.data import Source
from gan_jax.engine.game import turn
from gan_jax.errors import BadInput
from gan_jax.games import vanilla
from gan_jax.nets import dcgan, mlp


def fully_connected(source: Source):
    """Builds the networks of the Keras tutorials."""
    return mlp.Generator(shape=source.shape), mlp.Discriminator()


def convolutional(source: Source, norm: bool = True):
    """Builds the networks of the DCGAN tutorials. Raises `BadInput` if sides differ or are not divisible by 4."""
    if len(source.shape) != 3 or source.shape[0] != source.shape[1] or source.shape[0] % 4:
        what = source.spec["x"].modality.describe(source.shape)
        raise BadInput(f"{source.name} has {what}: this takes images whose sides are equal, and divisible by 4")
    return dcgan.Generator(channels=source.shape[2], size=source.shape[0], norm=norm), dcgan.Discriminator()


def convolutional_without_norm(source: Source):
    """Builds the networks of the DCGAN tutorial without batch norm in the generator."""
    return convolutional(source, norm=False)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Config:
    """The flags of every row."""

    networks: Fixed[Callable]
    z_size: PositiveInt = 100
    """Length of the standard normal latent."""
    learning_rate: PositiveFloat = 1e-3
    """Learning rate of both players."""
    b1: Fraction = 0.5
    """Adam's decay rate of the mean gradient."""
    d_turns: PositiveInt = 1
    """Discriminator turns per step."""
    g_turns: PositiveInt = 1
    """Generator turns per step, after the discriminator's."""
    ema: Fraction = 0.99
    """Decay rate of the generator's moving average, from which samples are drawn; 0 for none."""


PRESETS = {
    "mnist_mlp": Row(
        "The original GAN, Goodfellow 2014 (arXiv:1406.2661), fully connected as in the Keras tutorials",
        RunConfig(320_000, batch_size=32, checkpoint_every=5000),
        {"good": Config(fully_connected, learning_rate=2e-4, g_turns=2, ema=0.999)},
        expect="a Fréchet distance of 9 with --data mnist, in three minutes",
    ),
    "mnist_dcgan": Row(
        "The convolutional GAN of the TensorFlow tutorials, and settings that train well",
        RunConfig(256_000, batch_size=128, checkpoint_every=500),
        {"good": Config(convolutional), "tutorial": Config(convolutional_without_norm, b1=0.9, ema=0.0)},
        expect="a Fréchet distance of 37 at 128,000 images; the tutorial's settings fail",
    ),
}


def build(source: Source, run: RunConfig, config: Config) -> Experiment:
    """Builds the original game with the non-saturating loss."""
    g, d = config.networks(source)
    adam = optax.adam(config.learning_rate, b1=config.b1)
    game = vanilla.game(
        g,
        d,
        tx_g=adam,
        tx_d=adam,
        z_size=config.z_size,
        turns=lambda d, g: config.d_turns * (turn(d),) + config.g_turns * (turn(g),),
        ema=config.ema,
    )
    return Experiment((Phase(game, run.images),), run)


if __name__ == "__main__":
    train_file(__file__)
