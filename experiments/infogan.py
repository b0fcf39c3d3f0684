"""InfoGAN: nobody tells it the digits, and one of its codes becomes them.

    gan-jax train infogan --data mnist --evaluate fid,code_accuracy
    gan-jax sample runs/infogan-0 --vary c1               # fig. 2 (a) of the paper: every row a sample, its code varied
    gan-jax sample runs/infogan-0 --vary c2:-2:2 --out numbers.png
    gan-jax train infogan --data mnist --preset full      # the paper's widths, for accelerators

Cost: four minutes on one CPU core. Expect a Fréchet distance of 3 to 5, and 69 to 97 % of digits under the value of
c1 that stands for them (RESULTS.md).
"""

from typing import Literal, NamedTuple

import optax

from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, RunConfig
from gan_jax.config.flags import Fraction, NonNegativeFloat, PositiveFloat
from gan_jax.data import Source
from gan_jax.engine.priors import Categorical, Uniform
from gan_jax.games import infogan
from gan_jax.nets import infogan as nets

CODES = {"c1": Categorical(10), "c2": Uniform(-1.0, 1.0), "c3": Uniform(-1.0, 1.0)}


class Preset(NamedTuple):
    """What the two presets disagree on: at the paper's rate a narrow discriminator lets the generator repeat itself."""

    width: int
    d_learning_rate: float


PRESETS = {"small": Preset(16, 1e-3), "full": Preset(64, 2e-4)}


def experiment(
    source: Source,
    common: RunConfig = RunConfig(images=256_000, batch_size=32, checkpoint_every=2000, sample_every=1000),
    preset: Literal["small", "full"] = "small",
    weight: NonNegativeFloat = 1.0,
    number_weight: NonNegativeFloat = 1.0,
    g_learning_rate: PositiveFloat = 1e-3,
    d_learning_rate: PositiveFloat | None = None,
    b1: Fraction = 0.5,
    ema: Fraction = 0.999,
) -> Experiment:
    """InfoGAN as Chen et al. 2016 play it on MNIST: a code of ten classes, and two numbers.

    Args:
        source: The real images; labels are not looked at.
        common: The flags of every experiment.
        preset: The paper's widths and rates, or a quarter of those widths and a faster discriminator.
        weight: Of the information about the class.
        number_weight: Of the information about each number.
        g_learning_rate: Of the generator's Adam.
        d_learning_rate: Of the discriminator's Adam; by default the preset's.
        b1: Adam's decay of the mean gradient.
        ema: Decay of the generator's moving average, from which samples are drawn; 0 for none.
    """
    chosen = PRESETS[preset]
    g, d = nets.paper(source.shape, CODES, chosen.width)
    game = infogan.game(
        g,
        d,
        tx_g=optax.adam(g_learning_rate, b1=b1),
        tx_d=optax.adam(d_learning_rate or chosen.d_learning_rate, b1=b1),
        codes=CODES,
        lambda_categorical=weight,
        lambda_continuous=number_weight,
        ema=ema,
    )
    return Experiment((Phase(game, common.images),), common, grid=(5, 10))


if __name__ == "__main__":
    train_file(__file__)
