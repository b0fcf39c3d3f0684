"""Conditional GANs: both players take the label; every column of a preview is one class.

    gan-jax train projection --data mnist --evaluate fid,label_accuracy
    gan-jax train cgan --data mnist --preset full --batch-size 100 --images 20000000      # the paper's optimizer
    gan-jax train projection --data cifar10-jpg.tar.gz --preset full --images 16000000    # for accelerators
    gan-jax sample runs/cgan-0 --labels 3 8

Cost: four minutes on one CPU core. A row of `PRESETS` names the networks, their loss and their optimizer.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import optax
from tyro.conf import Fixed

from gan_jax import losses
from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, Row, RunConfig
from gan_jax.config.flags import Fraction, PositiveFloat, PositiveInt
from gan_jax.config.registry import Loss, Penalties
from gan_jax.data import Source
from gan_jax.engine.game import turn
from gan_jax.errors import BadInput
from gan_jax.games import conditional
from gan_jax.nets import cgan, projection, resnet


def cgan_narrow(shape: tuple[int, ...], classes: int):
    """Builds CGAN's networks with half as many units for the label, and batch norm instead of the generator's dropout.

    In ten thousand steps the paper's generator draws one image of every class: its samples vary with dropout rather
    than with the latent, which has a fifth of the label's units.
    """
    g = cgan.Generator(shape, classes, units=(200, 100, 600), dropout=0.0, norm=True)
    return g, cgan.Discriminator(classes, units=(120, 50, 120), dropout=0.2)


def cgan_paper(shape: tuple[int, ...], classes: int):
    """Builds the networks of Mirza and Osindero 2014, sec. 4.1."""
    return cgan.Generator(shape, classes), cgan.Discriminator(classes)


def projection_narrow(shape: tuple[int, ...], classes: int):
    """Builds DCGAN's networks with conditional batch norm and a projection, an eighth as wide."""
    return projection.pair(shape, width=8, classes=classes)


def projection_paper(shape: tuple[int, ...], classes: int):
    """Builds the residual networks of Miyato and Koyama 2018 for CIFAR-10."""
    return resnet.pair(shape, classes=classes)


def adam(config: "Config") -> optax.GradientTransformation:
    """Makes the Adam of a row."""
    return optax.adam(config.learning_rate, b1=config.b1, b2=config.b2)


def decaying_sgd(config: "Config") -> optax.GradientTransformation:
    """Makes the SGD of CGAN's sec. 4.1: the rate falls by 1.00004 per step to 1e-6, momentum grows from 0.5 to 0.7.

    The paper does not give the schedule of the momentum: here it is linear over 100,000 steps.
    """
    return optax.inject_hyperparams(optax.sgd)(
        learning_rate=optax.exponential_decay(config.learning_rate, 1, decay_rate=1 / 1.00004, end_value=1e-6),
        momentum=optax.linear_schedule(0.5, 0.7, transition_steps=100_000),
    )


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Config:
    """The flags of every row."""

    networks: Fixed[Callable]
    loss: Loss = losses.non_saturating
    """Adversarial loss."""
    penalty: Penalties = ()
    """Penalties added to the losses."""
    z_size: PositiveInt = 100
    """Length of the standard normal latent."""
    optimizer: Fixed[Callable[["Config"], optax.GradientTransformation]] = adam
    learning_rate: PositiveFloat = 1e-3
    """Learning rate of both players."""
    b1: Fraction = 0.5
    """Adam's decay rate of the mean gradient."""
    b2: Fraction = 0.999
    """Adam's decay rate of the mean squared gradient."""
    n_critic: PositiveInt = 1
    """Discriminator turns per generator turn."""
    ema: Fraction = 0.999
    """Decay rate of the generator's moving average, from which samples are drawn; 0 for none."""


PRESETS = {
    "cgan": Row(
        "CGAN, Mirza 2014 (arXiv:1411.1784): fully connected networks that take the label",
        RunConfig(400_000, batch_size=32, checkpoint_every=4000, sample_every=2000),
        {"small": Config(cgan_narrow), "full": Config(cgan_paper, optimizer=decaying_sgd, learning_rate=0.1)},
        expect="a Fréchet distance of 10, 89 % of digits as requested",
    ),
    "projection": Row(
        "Projection discriminator, Miyato 2018 (arXiv:1802.05637): conditional batch norm, spectral norm, hinge",
        RunConfig(256_000, batch_size=32, checkpoint_every=2000, sample_every=1000),
        {
            "small": Config(projection_narrow, losses.hinge, z_size=128, learning_rate=2e-3, b2=0.9),
            # The authors' code for CIFAR-10, without its decay of the learning rate.
            "full": Config(projection_paper, losses.hinge, z_size=128, learning_rate=2e-4, b1=0.0, b2=0.9, n_critic=5),
        },
        expect="a Fréchet distance of 4, 99 % of digits as requested",
    ),
}


def build(source: Source, run: RunConfig, config: Config) -> Experiment:
    """Builds the conditional game on the row's networks. Raises `BadInput` if the data has no labels."""
    classes = len(source.classes)
    if not classes:
        raise BadInput(f"{source.name} has no labels: give --data mnist5k, or a folder of class folders")
    g, d = config.networks(source.shape, classes)
    tx = config.optimizer(config)
    game = conditional.game(
        g,
        d,
        tx_g=tx,
        tx_d=tx,
        classes=classes,
        z_size=config.z_size,
        g_dropout=isinstance(g, cgan.Generator),
        loss=config.loss,
        penalties=config.penalty,
        turns=lambda d, g: config.n_critic * (turn(d),) + (turn(g),),
        ema=config.ema,
    )
    return Experiment((Phase(game, run.images),), run, grid=(5, 10))


if __name__ == "__main__":
    train_file(__file__)
