"""Stacked-MNIST: three digits in the color channels of one image make 1,000 modes to lose.

    gan-jax train stacked_mnist                                   # triples of 5,000 digits, no download
    gan-jax train stacked_mnist --data stacked:mnist --loss relativistic_paired --penalty r1:1+r2:1
    gan-jax train stacked_reduced --data stacked:mnist --pack 4 --run-dir runs/pack4               # PacGAN
    gan-jax train stacked_reduced --data stacked:mnist --similarity 16 --run-dir runs/similarity16
    gan-jax train stacked_reduced --data stacked:mnist --unroll 5 --run-dir runs/unroll5           # unrolled GAN
    gan-jax evaluate runs/pack4 --metrics modes --samples 25600

Cost: `stacked_mnist` a quarter of an hour on two CPU cores; `stacked_reduced` eight minutes on one, five times as long
with --unroll 5. On `stacked_reduced` others report after 500,000 steps at a fifth of the rates (--g-learning-rate 1e-4
--d-learning-rate 2e-4 --images 64000000): DCGAN 30.6 modes, unrolled by ten steps 327, PacGAN with packs of four 667.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import optax
from tyro.conf import Fixed

from gan_jax import losses
from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, Row, RunConfig
from gan_jax.config.flags import Fraction, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from gan_jax.config.registry import Loss, Penalties
from gan_jax.data import Source
from gan_jax.engine.dynamics import unrolled
from gan_jax.errors import BadInput
from gan_jax.games import vanilla
from gan_jax.nets import dcgan, stacked_mnist
from gan_jax.nets.layers.minibatch import MinibatchDiscrimination
from gan_jax.nets.layers.packed import Packed


def narrow(size: int, width: int, top):
    """Builds narrow networks of the DCGAN tutorials, for color images."""
    g = dcgan.Generator(channels=3, size=size, widths=(4 * width, 2 * width, width), norm=True)
    return g, dcgan.Discriminator(widths=(width, 2 * width), top=top)


def reduced(size: int, width: int, top):
    """Builds the networks of Metz et al. 2017: with width 2 the discriminator has a quarter of the generator's size."""
    return stacked_mnist.Generator(size=size), stacked_mnist.discriminator(width, top)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Config:
    """The flags of every row."""

    networks: Fixed[Callable]
    width: PositiveInt
    """Channels of the discriminator's first layer."""
    loss: Loss = losses.non_saturating
    """Adversarial loss."""
    penalty: Penalties = ()
    """Penalties added to the losses."""
    pack: PositiveInt = 1
    """Images per discriminator input (PacGAN)."""
    similarity: NonNegativeInt = 0
    """Features of minibatch discrimination; 0 for none."""
    unroll: NonNegativeInt = 0
    """Discriminator updates that the generator unrolls; both players then move at once. 0 for alternating moves."""
    z_size: PositiveInt = 100
    """Length of the standard normal latent."""
    g_learning_rate: PositiveFloat = 1e-3
    """Learning rate of the generator."""
    d_learning_rate: PositiveFloat = 1e-3
    """Learning rate of the discriminator."""
    b1: Fraction = 0.5
    """Adam's decay rate of the mean gradient."""
    b2: Fraction = 0.999
    """Adam's decay rate of the mean squared gradient."""
    d_eps_root: NonNegativeFloat = 0.0
    """Epsilon inside the root of the discriminator's Adam; --unroll differentiates that root and needs 1e-16."""
    ema: Fraction = 0.99
    """Decay rate of the generator's moving average, from which samples are drawn; 0 for none."""


PRESETS = {
    "stacked_mnist": Row(
        "Stacked-MNIST, Srivastava 2017 (arXiv:1705.07761), with a narrow convolutional GAN",
        RunConfig(1_024_000, 128, data="stacked:mnist5k", sample_every=500),
        {"good": Config(narrow, width=16)},
        expect="927 modes and a reverse KL of 0.92 at half the images, 990 and 0.51 with R1 + R2",
    ),
    "stacked_reduced": Row(
        "Remedies for mode collapse: PacGAN (arXiv:1712.04086), minibatch discrimination, unrolling (arXiv:1611.02163)",
        RunConfig(768_000, 128, data="stacked:mnist5k", sample_every=1000),
        {"good": Config(reduced, width=2, z_size=256, g_learning_rate=5e-4, b2=0.99, d_eps_root=1e-16)},
        expect="473 modes of 1,000 without a remedy, 786 with packs of four",
    ),
}


def build(source: Source, run: RunConfig, config: Config) -> Experiment:
    """Builds the original game on color digits, with the remedies that the flags name."""
    if source.shape not in ((28, 28, 3), (32, 32, 3)):
        raise BadInput(f"{source.name} has examples of shape {source.shape}: give --data stacked:mnist5k")
    top = MinibatchDiscrimination(config.similarity) if config.similarity else None
    g, d = config.networks(source.shape[0], config.width, top)
    game = vanilla.game(
        g,
        Packed(d, config.pack) if config.pack > 1 else d,
        tx_g=optax.adam(config.g_learning_rate, b1=config.b1, b2=config.b2),
        tx_d=optax.adam(config.d_learning_rate, b1=config.b1, b2=config.b2, eps_root=config.d_eps_root),
        z_size=config.z_size,
        loss=config.loss,
        penalties=config.penalty,
        turns=partial(vanilla.simultaneous, dynamics=unrolled(config.unroll)) if config.unroll else vanilla.alternating,
        ema=config.ema,
    )
    return Experiment((Phase(game, run.images),), run)


if __name__ == "__main__":
    train_file(__file__)
