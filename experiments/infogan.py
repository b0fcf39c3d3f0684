"""InfoGAN: a code of ten classes learns the digits, without labels.

    gan-jax train infogan --data mnist --evaluate fid,code_accuracy
    gan-jax sample runs/infogan-0 --vary c1               # fig. 2 (a) of the paper: every row varies one sample's code
    gan-jax sample runs/infogan-0 --vary c2:-2:2 --out numbers.png
    gan-jax train infogan --data mnist --preset full      # the paper's widths, for accelerators

Cost: four minutes on one CPU core.
"""

from dataclasses import dataclass

import jax
import optax

from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, Row, RunConfig
from gan_jax.config.flags import Fraction, NonNegativeFloat, PositiveFloat, PositiveInt
from gan_jax.data import Source
from gan_jax.games import infogan
from gan_jax.nets import infogan as nets
from gan_jax.priors import Categorical, Uniform

CODES = {"c1": Categorical(10), "c2": Uniform(-1.0, 1.0), "c3": Uniform(-1.0, 1.0)}
"""The codes of the paper's MNIST experiment (sec. 7.2)."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Config:
    """The flags of the experiment."""

    width: PositiveInt = 16
    """Channels of the discriminator's first layer; the paper's has 64."""
    lambda_categorical: NonNegativeFloat = 1.0
    """Weight of the mutual information with the categorical code."""
    lambda_continuous: NonNegativeFloat = 1.0
    """Weight of the mutual information with each continuous code."""
    g_learning_rate: PositiveFloat = 1e-3
    """Learning rate of the generator."""
    d_learning_rate: PositiveFloat = 1e-3
    """Learning rate of the discriminator. At the paper's 2e-4 and a small width the generator collapses."""
    b1: Fraction = 0.5
    """Adam's decay rate of the mean gradient."""
    ema: Fraction = 0.999
    """Decay rate of the generator's moving average, from which samples are drawn; 0 for none."""


PRESETS = {
    "infogan": Row(
        "InfoGAN, Chen 2016 (arXiv:1606.03657): codes with mutual information",
        RunConfig(256_000, batch_size=32, checkpoint_every=2000, sample_every=1000),
        {"small": Config(), "full": Config(width=64, d_learning_rate=2e-4)},
        expect="a Fréchet distance of 3 to 5, code accuracy 69 to 97 %",
    ),
}


def build(source: Source, run: RunConfig, config: Config) -> Experiment:
    """Builds InfoGAN with the codes and networks of the paper's MNIST experiment; labels are not used."""
    g, d = nets.paper(source.shape, CODES, config.width)
    game = infogan.game(
        g,
        d,
        tx_g=optax.adam(config.g_learning_rate, b1=config.b1),
        tx_d=optax.adam(config.d_learning_rate, b1=config.b1),
        codes=CODES,
        lambda_categorical=config.lambda_categorical,
        lambda_continuous=config.lambda_continuous,
        ema=config.ema,
    )
    return Experiment((Phase(game, run.images),), run, grid=(5, 10))


if __name__ == "__main__":
    train_file(__file__)
