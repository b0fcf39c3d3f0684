"""WGAN on the networks of DCGAN: a critic with clipped weights, and no logarithms.

    gan-jax train wgan --data mnist
    gan-jax train wgan --data mnist --preset full --batch-size 64 --images 5000000      # for accelerators

Cost: five minutes on one CPU core. Expect a Fréchet distance of 10 (RESULTS.md). The paper's five critic turns for one
of the generator's are the full preset's: in a short run the generator moves in every step, or it moves too seldom.
"""

from typing import Literal, NamedTuple

from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, RunConfig
from gan_jax.config.flags import Fraction, PositiveFloat, PositiveInt
from gan_jax.data import Source
from gan_jax.games import wgan
from gan_jax.nets import dcgan


class Preset(NamedTuple):
    """What the two presets disagree on."""

    g_width: int
    d_width: int
    learning_rate: float
    clip: float
    n_critic: int


PRESETS = {"small": Preset(8, 16, 2e-3, 0.3, 1), "full": Preset(64, 64, 5e-5, 0.01, 5)}


def experiment(
    source: Source,
    common: RunConfig = RunConfig(images=256_000, batch_size=32, sample_every=2000, checkpoint_every=4000),
    preset: Literal["small", "full"] = "small",
    learning_rate: PositiveFloat | None = None,
    clip: PositiveFloat | None = None,
    n_critic: PositiveInt | None = None,
    ema: Fraction = 0.999,
) -> Experiment:
    """The Wasserstein game of Arjovsky et al. 2017.

    Args:
        source: The real images.
        common: The flags of every experiment.
        preset: The paper's widths, learning rate, clip and turns, or those of a short run: an eighth of the generator's
            widths, a quarter of the critic's, who can do less with clipped weights, and a wider clip, for the scores of
            a narrow critic are sums of fewer terms.
        learning_rate: Of RMSProp, for both players; by default the preset's.
        clip: Within which the critic's parameters are kept; by default the preset's.
        n_critic: Critic turns in a step; by default the preset's.
        ema: Decay of the generator's moving average, from which samples are drawn; 0 for none.
    """
    chosen = PRESETS[preset]
    g, d = dcgan.paper(source.shape, chosen.g_width).g, dcgan.paper(source.shape, chosen.d_width).d
    game = wgan.game(
        g,
        d,
        learning_rate=learning_rate or chosen.learning_rate,
        clip=clip or chosen.clip,
        n_critic=n_critic or chosen.n_critic,
        ema=ema,
    )
    return Experiment((Phase(game, common.images),), common, grid=(5, 10))


if __name__ == "__main__":
    train_file(__file__)
