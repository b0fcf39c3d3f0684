"""DRAGAN on the networks of DCGAN, the discriminator without batch norm and penalized around real images.

    gan-jax train dragan --data mnist
    gan-jax train dragan --data mnist --preset full --batch-size 64 --images 5000000      # for accelerators

Cost: three minutes on one CPU core. Expect a Fréchet distance of 7 to 10 (RESULTS.md).
"""

from typing import Literal, NamedTuple

from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, RunConfig
from gan_jax.config.flags import Fraction, NonNegativeFloat, PositiveFloat
from gan_jax.data import Source
from gan_jax.games import dragan
from gan_jax.nets import dcgan


class Preset(NamedTuple):
    """What the two presets disagree on."""

    width: int
    learning_rate: float


PRESETS = {"small": Preset(8, 2e-3), "full": Preset(64, 2e-4)}


def experiment(
    source: Source,
    common: RunConfig = RunConfig(images=192_000, batch_size=32, sample_every=1000, checkpoint_every=2000),
    preset: Literal["small", "full"] = "small",
    learning_rate: PositiveFloat | None = None,
    penalty: NonNegativeFloat = 10.0,
    b1: Fraction = 0.5,
    ema: Fraction = 0.999,
) -> Experiment:
    """The penalized game of Kodali et al. 2017.

    Args:
        source: The real images.
        common: The flags of every experiment.
        preset: The paper's widths and learning rate, or an eighth of those widths and a rate for short runs.
        learning_rate: Of Adam, for both players; by default the preset's.
        penalty: The weight of the gradient penalty.
        b1: Adam's decay of the mean gradient.
        ema: Decay of the generator's moving average, from which samples are drawn; 0 for none.
    """
    chosen = PRESETS[preset]
    g, d = dcgan.paper(source.shape, chosen.width)
    game = dragan.game(
        g,
        d.clone(norm=False),
        learning_rate=learning_rate or chosen.learning_rate,
        weight=penalty,
        b1=b1,
        ema=ema,
    )
    return Experiment((Phase(game, common.images),), common, grid=(5, 10))


if __name__ == "__main__":
    train_file(__file__)
