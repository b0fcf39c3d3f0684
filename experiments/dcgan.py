"""DCGAN, the networks of the paper: batch norm in both players, 5 x 5 kernels, weights from N(0, 0.02^2).

    gan-jax train dcgan --data mnist
    gan-jax train dcgan --data mnist --preset full --batch-size 128 --images 5000000      # for accelerators

Cost: three minutes on one CPU core. Expect a Fréchet distance of 3 to 6 (RESULTS.md).
"""

from typing import Literal, NamedTuple

import optax

from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, RunConfig
from gan_jax.config.flags import Fraction, PositiveFloat
from gan_jax.data import Source
from gan_jax.games import vanilla
from gan_jax.nets import dcgan


class Preset(NamedTuple):
    """What the two presets disagree on."""

    width: int
    learning_rate: float


PRESETS = {"small": Preset(8, 2e-3), "full": Preset(64, 2e-4)}


def experiment(
    source: Source,
    common: RunConfig = RunConfig(images=256_000, batch_size=32, checkpoint_every=2000, sample_every=1000),
    preset: Literal["small", "full"] = "small",
    learning_rate: PositiveFloat | None = None,
    b1: Fraction = 0.5,
    ema: Fraction = 0.999,
) -> Experiment:
    """The original game on the networks of Radford et al. 2016.

    Args:
        source: The real images.
        common: The flags of every experiment.
        preset: The paper's widths and learning rate, or an eighth of those widths and a rate for short runs.
        learning_rate: Of Adam, for both players; by default the preset's.
        b1: Adam's decay of the mean gradient.
        ema: Decay of the generator's moving average, from which samples are drawn; 0 for none.
    """
    chosen = PRESETS[preset]
    g, d = dcgan.paper(source.shape, chosen.width)
    adam = optax.adam(learning_rate or chosen.learning_rate, b1=b1)
    game = vanilla.game(g, d, tx_g=adam, tx_d=adam, ema=ema)
    return Experiment((Phase(game, common.images),), common, grid=(5, 10))


if __name__ == "__main__":
    train_file(__file__)
