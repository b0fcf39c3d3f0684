"""DCGAN's networks under seven losses: DCGAN, LSGAN, WGAN, WGAN-GP, DRAGAN, hinge with spectral norm, RpGAN.

    gan-jax train wgan_gp --data mnist
    gan-jax train wgan_gp --data mnist --preset full --batch-size 64 --images 5000000      # for accelerators
    gan-jax sweep dcgan --vary loss=hinge,wasserstein --seeds 3

A row of `PRESETS` is a paper: its loss, penalty, norm of the discriminator, optimizer and turns. `--preset small` is
narrow and takes minutes on a CPU; `full` has the paper's widths and rates. A new row is one entry of the table.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

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
from gan_jax.engine.game import Game, Network, turn
from gan_jax.games import vanilla
from gan_jax.games.augmented import play_augmented
from gan_jax.nets import dcgan
from gan_jax.penalties import clip_weights, terms


def adam(config: "Config") -> optax.GradientTransformation:
    """Makes the Adam of a row."""
    return optax.adam(config.learning_rate, b1=config.b1, b2=config.b2)


def rmsprop(config: "Config") -> optax.GradientTransformation:
    """Makes the RMSProp of the WGAN authors' code, epsilon outside the root: a clipped critic has tiny gradients."""
    return optax.rmsprop(config.learning_rate, decay=0.99, eps=1e-8, eps_in_sqrt=False)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Config:
    """The flags of every row."""

    loss: Loss = losses.non_saturating
    """Adversarial loss."""
    penalty: Penalties = ()
    """Penalties added to the losses."""
    augment: Augmentations = ()
    """What is done at random to the images that the discriminator sees, real and generated: for small data sets."""
    g_width: PositiveInt = 8
    """Channels of the generator's last hidden layer; DCGAN's has 64."""
    d_width: PositiveInt = 8
    """Channels of the discriminator's first layer; DCGAN's has 64."""
    d_norm: Literal["batch", "spectral", "none"] = "batch"
    """Normalization in the discriminator. Gradient penalties do not work with batch norm, which mixes examples."""
    optimizer: Fixed[Callable[["Config"], optax.GradientTransformation]] = adam
    learning_rate: PositiveFloat = 2e-3
    """Learning rate of both players."""
    b1: Fraction = 0.5
    """Adam's decay rate of the mean gradient."""
    b2: Fraction = 0.999
    """Adam's decay rate of the mean squared gradient."""
    clip: PositiveFloat | None = None
    """Clip the discriminator's parameters to [-clip, clip] after every update."""
    n_critic: PositiveInt = 1
    """Discriminator turns per generator turn."""
    ema: Fraction = 0.999
    """Decay rate of the generator's moving average, from which samples are drawn; 0 for none."""


def presets(small: Config, **full: object) -> dict[str, Config]:
    """Makes the two presets of a row: narrow, and with the paper's widths and its other settings."""
    return {"small": small, "full": replace(small, g_width=64, d_width=64, **full)}


def run(images: int, sample_every: int = 1000) -> RunConfig:
    """Makes the run defaults of a row."""
    return RunConfig(images, batch_size=32, sample_every=sample_every, checkpoint_every=2 * sample_every)


# A narrow critic sums fewer terms than the paper's, so its clip is wider.
WGAN = Config(losses.wasserstein, d_width=16, optimizer=rmsprop, clip=0.3)
WGAN_GP = Config(losses.wasserstein, (terms.gradient_penalty(10.0),), d_norm="none", b1=0.0, b2=0.9, n_critic=5)
RPGAN = Config(losses.relativistic_paired, (terms.r1(1.0), terms.r2(1.0)), d_norm="none", b1=0.0, b2=0.99)

PRESETS = {
    "dcgan": Row(
        "DCGAN, Radford 2016 (arXiv:1511.06434): convolutional networks with batch norm",
        run(256_000),
        presets(Config(), learning_rate=2e-4),
        expect="a Fréchet distance of 3 to 6 in three minutes",
    ),
    "lsgan": Row(
        "LSGAN, Mao 2017 (arXiv:1611.04076): the squared distance of scores from labels",
        run(256_000),
        presets(Config(losses.least_squares), learning_rate=2e-4),
        expect="a Fréchet distance of 4 in four minutes",
    ),
    "wgan": Row(
        "WGAN, Arjovsky 2017 (arXiv:1701.07875): a critic with clipped weights",
        run(256_000, sample_every=2000),
        presets(WGAN, learning_rate=5e-5, clip=0.01, n_critic=5),
        expect="a Fréchet distance of 10 in five minutes",
    ),
    "wgan_gp": Row(
        "WGAN-GP, Gulrajani 2017 (arXiv:1704.00028): a gradient penalty in place of clipping",
        run(384_000),
        presets(WGAN_GP, learning_rate=1e-4),
        expect="a Fréchet distance of 7 in four minutes",
    ),
    "dragan": Row(
        "DRAGAN, Kodali 2017 (arXiv:1705.07215): a gradient penalty around real images",
        run(192_000),
        presets(Config(penalty=(terms.dragan(10.0),), d_norm="none"), learning_rate=2e-4),
        expect="a Fréchet distance of 7 to 10 in three minutes",
    ),
    "hinge": Row(
        "Hinge loss, Lim 2017 (arXiv:1705.02894), with spectral norm, Miyato 2018 (arXiv:1802.05957)",
        run(320_000),
        presets(Config(losses.hinge, d_norm="spectral", b2=0.9), learning_rate=2e-4, b1=0.0, n_critic=5),
        expect="a Fréchet distance of 5 to 13 in four minutes",
    ),
    "rpgan": Row(
        "RpGAN with R1 and R2, Huang 2024 (arXiv:2501.05441): relativistic pairs, both gradients penalized",
        run(256_000),
        presets(RPGAN, learning_rate=2e-4),
    ),
}


def game(g: Network, d: Network, config: Config) -> Game:
    """Builds the original game with the row's loss, penalty, optimizer and turns."""
    tx = config.optimizer(config)
    plain = vanilla.game(
        g,
        d,
        tx_g=tx,
        tx_d=tx if config.clip is None else optax.chain(tx, clip_weights(config.clip)),
        loss=config.loss,
        penalties=config.penalty,
        turns=lambda d, g: config.n_critic * (turn(d),) + (turn(g),),
        ema=config.ema,
    )
    return play_augmented(plain, config.augment)


def build(source: Source, run: RunConfig, config: Config) -> Experiment:
    """Builds the row's game on the networks of Radford et al. 2016."""
    g, d = dcgan.paper(source.shape, config.g_width).g, dcgan.paper(source.shape, config.d_width).d
    d = d.clone(norm=config.d_norm == "batch", spectral=config.d_norm == "spectral")
    return Experiment((Phase(game(g, d, config), run.images),), run, grid=(5, 10))


if __name__ == "__main__":
    train_file(__file__)
