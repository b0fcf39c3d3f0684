"""The hinge game on the networks of DCGAN, the discriminator with spectral norm instead of batch norm.

    gan-jax train hinge --data mnist
    gan-jax train hinge --data mnist --preset full --batch-size 64 --images 5000000      # for accelerators

Cost: about 8 minutes on one CPU core. Expect a Fréchet distance of 19 (RESULTS.md).
"""

from typing import Literal, NamedTuple

from gan_jax.cli import train_file
from gan_jax.data import Source
from gan_jax.experiment import Common, Experiment, Phase
from gan_jax.flags import Fraction, PositiveFloat, PositiveInt
from gan_jax.games import hinge
from gan_jax.nets import dcgan


class Preset(NamedTuple):
    """What the two presets disagree on."""

    width: int
    learning_rate: float


PRESETS = {"small": Preset(16, 1e-3), "full": Preset(64, 2e-4)}


def experiment(
    source: Source,
    common: Common = Common(images=640_000, batch_size=32, sample_every=1000, checkpoint_every=2000),
    preset: Literal["small", "full"] = "small",
    learning_rate: PositiveFloat | None = None,
    b1: Fraction = 0.0,
    n_critic: PositiveInt = 5,
    ema: Fraction = 0.999,
) -> Experiment:
    """The hinge game of Lim and Ye 2017, with the spectral norm of Miyato et al. 2018.

    Args:
        source: The real images.
        common: The flags of every experiment.
        preset: The paper's widths and learning rate, or a quarter of those widths and a rate for short runs.
        learning_rate: Of Adam, for both players; by default the preset's.
        b1: Adam's decay of the mean gradient.
        n_critic: Discriminator turns in a step.
        ema: Decay of the generator's moving average, from which samples are drawn; 0 for none.
    """
    chosen = PRESETS[preset]
    g, d = dcgan.paper(source.shape, chosen.width)
    game = hinge.game(
        g,
        d.clone(norm=False, spectral=True),
        learning_rate=learning_rate or chosen.learning_rate,
        b1=b1,
        n_critic=n_critic,
        ema=ema,
    )
    return Experiment((Phase(game, common.images),), common, grid=(5, 10))


if __name__ == "__main__":
    train_file(__file__)
