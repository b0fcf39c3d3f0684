"""LAPGAN: one game generates small images, and one game per doubling of the size adds detail.

    gan-jax train lapgan --data mnist
    gan-jax train lapgan --data mnist --preset full --images 5000000     # the paper's widths, for accelerators

Cost: six minutes on two CPU cores, thirteen on one while the other is busy.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import optax
from tyro.conf import Fixed

from gan_jax import losses
from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, Row, RunConfig
from gan_jax.config.flags import Fraction, PositiveFloat
from gan_jax.config.registry import Loss
from gan_jax.data import Source
from gan_jax.games import lapgan
from gan_jax.nets.lapgan import Level, Sizes, networks


def narrow() -> Sizes:
    """Sizes with one doubling, because training from 7 x 7 pixels takes several times as long."""
    return Sizes((512, 512), (512, 512), dropout=0.0, finer=(Level(16, (3, 3, 3), 16, 3),), coarsest=16)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Config:
    """The flags of the experiment."""

    sizes: Fixed[Callable[[], Sizes]] = narrow
    loss: Loss = losses.non_saturating
    """Adversarial loss."""
    learning_rate: PositiveFloat = 1e-3
    """Learning rate of all players."""
    b1: Fraction = 0.5
    """Adam's decay rate of the mean gradient."""
    ema: Fraction = 0.999
    """Decay rate of the generators' moving averages, from which samples are drawn; 0 for none."""


PRESETS = {
    "lapgan": Row(
        "LAPGAN, Denton 2015 (arXiv:1506.05751): a Laplacian pyramid of conditional games",
        RunConfig(256_000, batch_size=32, checkpoint_every=2000, sample_every=1000),
        {"small": Config(), "full": Config(sizes=Sizes)},
        expect="a Fréchet distance of 12",
    ),
}


def build(source: Source, run: RunConfig, config: Config) -> Experiment:
    """Builds a game for every level of the Laplacian pyramid, with Adam instead of the paper's SGD with momentum."""
    g, d = networks(source.shape, config.sizes())
    adam = optax.adam(config.learning_rate, b1=config.b1)
    game = lapgan.game(g, d, tx_g=adam, tx_d=adam, shape=source.shape, loss=config.loss, ema=config.ema)
    return Experiment((Phase(game, run.images),), run, grid=(5, 10))


if __name__ == "__main__":
    train_file(__file__)
