"""The hinge game on the networks of DCGAN, the discriminator with spectral norm instead of batch norm.

    gan-jax train hinge --data mnist
    gan-jax train hinge --data mnist --preset full --batch-size 64 --images 5000000      # for accelerators

Cost: four minutes on one CPU core. Expect a Fréchet distance of 5 to 13 (RESULTS.md).
"""

from typing import Literal, NamedTuple

from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, RunConfig
from gan_jax.config.flags import Fraction, PositiveFloat, PositiveInt
from gan_jax.data import Source
from gan_jax.games import hinge
from gan_jax.nets import dcgan


class Preset(NamedTuple):
    """What the two presets disagree on."""

    width: int
    learning_rate: float
    b1: float
    n_critic: int


PRESETS = {"small": Preset(8, 2e-3, 0.5, 1), "full": Preset(64, 2e-4, 0.0, 5)}


def experiment(
    source: Source,
    common: RunConfig = RunConfig(images=320_000, batch_size=32, sample_every=1000, checkpoint_every=2000),
    preset: Literal["small", "full"] = "small",
    learning_rate: PositiveFloat | None = None,
    b1: Fraction | None = None,
    n_critic: PositiveInt | None = None,
    ema: Fraction = 0.999,
) -> Experiment:
    """The hinge game of Lim and Ye 2017, with the spectral norm of Miyato et al. 2018.

    Args:
        source: The real images.
        common: The flags of every experiment.
        preset: The paper's widths, rates and turns, or an eighth of those widths and what is best in short runs. The
            flags below, where given, replace a preset's own.
        learning_rate: Of Adam, for both players.
        b1: Adam's decay of the mean gradient.
        n_critic: Discriminator turns in a step.
        ema: Decay of the generator's moving average, from which samples are drawn; 0 for none.
    """
    given = {"learning_rate": learning_rate, "b1": b1, "n_critic": n_critic}
    chosen = PRESETS[preset]._replace(**{name: value for name, value in given.items() if value is not None})
    g, d = dcgan.paper(source.shape, chosen.width)
    game = hinge.game(
        g,
        d.clone(norm=False, spectral=True),
        learning_rate=chosen.learning_rate,
        b1=chosen.b1,
        n_critic=chosen.n_critic,
        ema=ema,
    )
    return Experiment((Phase(game, common.images),), common, grid=(5, 10))


if __name__ == "__main__":
    train_file(__file__)
