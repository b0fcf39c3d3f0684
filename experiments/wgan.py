"""WGAN on the networks of DCGAN: a critic with clipped weights, five of its turns for one of the generator.

    gan-jax train wgan --data mnist
    gan-jax train wgan --data mnist --preset full --batch-size 64 --images 5000000      # for accelerators

Cost: six minutes on one CPU core. Expect a Fréchet distance of 25, and half of the digits broken: clipped weights learn
slowly (RESULTS.md).
"""

from typing import Literal, NamedTuple

from gan_jax.cli import train_file
from gan_jax.data import Source
from gan_jax.experiment import Common, Experiment, Phase
from gan_jax.flags import Fraction, PositiveFloat, PositiveInt
from gan_jax.games import wgan
from gan_jax.nets import dcgan


class Preset(NamedTuple):
    """What the two presets disagree on."""

    width: int
    learning_rate: float
    clip: float


PRESETS = {"small": Preset(8, 1e-3, 0.03), "full": Preset(64, 5e-5, 0.01)}


def experiment(
    source: Source,
    common: Common = Common(images=640_000, batch_size=32, sample_every=1000, checkpoint_every=2000),
    preset: Literal["small", "full"] = "small",
    learning_rate: PositiveFloat | None = None,
    clip: PositiveFloat | None = None,
    n_critic: PositiveInt = 5,
    ema: Fraction = 0.999,
) -> Experiment:
    """The Wasserstein game of Arjovsky et al. 2017.

    Args:
        source: The real images.
        common: The flags of every experiment.
        preset: The paper's widths, learning rate and clip, or an eighth of those widths, a rate for short runs, and a
            wider clip: a narrow critic's scores are sums of fewer terms.
        learning_rate: Of RMSProp, for both players; by default the preset's.
        clip: Within which the critic's parameters are kept; by default the preset's.
        n_critic: Critic turns in a step.
        ema: Decay of the generator's moving average, from which samples are drawn; 0 for none.
    """
    chosen = PRESETS[preset]
    g, d = dcgan.paper(source.shape, chosen.width)
    game = wgan.game(
        g,
        d,
        learning_rate=learning_rate or chosen.learning_rate,
        clip=clip or chosen.clip,
        n_critic=n_critic,
        ema=ema,
    )
    return Experiment((Phase(game, common.images),), common, grid=(5, 10))


if __name__ == "__main__":
    train_file(__file__)
