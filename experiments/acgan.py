"""ACGAN: the generator takes the class, and the discriminator also classifies.

    gan-jax train acgan --data mnist --evaluate fid,label_accuracy
    gan-jax sample runs/acgan-0 --labels 3 8
    gan-jax train acgan --data cifar10-jpg.tar.gz --preset full --images 5000000     # the paper's widths

Cost: four minutes on one CPU core.
"""

from dataclasses import dataclass

import jax
import optax

from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, Row, RunConfig
from gan_jax.config.flags import Fraction, NonNegativeFloat, PositiveFloat, PositiveInt
from gan_jax.data import Source
from gan_jax.errors import BadInput
from gan_jax.games import acgan
from gan_jax.nets import acgan as nets


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Config:
    """The flags of the experiment."""

    width: PositiveInt = 4
    """Channels of the discriminator's first layer; the paper's has 16."""
    dropout: Fraction = 0.2
    """Dropout rate in the discriminator. A narrow network needs less than the paper's 0.5."""
    weight: NonNegativeFloat = 1.0
    """Weight of the log-likelihood of the right class; with 0 the discriminator does not learn to classify."""
    learning_rate: PositiveFloat = 1e-3
    """Learning rate of both players."""
    b1: Fraction = 0.5
    """Adam's decay rate of the mean gradient."""
    ema: Fraction = 0.999
    """Decay rate of the generator's moving average, from which samples are drawn; 0 for none."""


PRESETS = {
    "acgan": Row(
        "ACGAN, Odena 2017 (arXiv:1610.09585): the discriminator also classifies",
        RunConfig(128_000, batch_size=32, checkpoint_every=2000, sample_every=1000),
        {"small": Config(), "full": Config(width=16, dropout=0.5, learning_rate=2e-4)},
        expect="a Fréchet distance of 3, 99 % of digits as requested",
    ),
}


def build(source: Source, run: RunConfig, config: Config) -> Experiment:
    """Builds the game on the paper's networks for CIFAR-10. Raises `BadInput` if the data has no labels."""
    classes = len(source.classes)
    if not classes:
        raise BadInput(f"{source.name} has no labels: give --data mnist5k, or a folder of class folders")
    g, d = nets.paper(source.shape, classes, config.width, config.dropout)
    adam = optax.adam(config.learning_rate, b1=config.b1)
    game = acgan.game(g, d, tx_g=adam, tx_d=adam, classes=classes, weight=config.weight, ema=config.ema)
    return Experiment((Phase(game, run.images),), run, grid=(5, 10))


if __name__ == "__main__":
    train_file(__file__)
