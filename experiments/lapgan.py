"""LAPGAN, a pyramid of games: one that makes small images, and one for what every doubling adds.

    gan-jax train lapgan --data mnist
    gan-jax train lapgan --data mnist --preset full --images 5000000     # the paper's widths, for accelerators

Cost: six minutes on two CPU cores, thirteen on one beside a busy one. Expect a Fréchet distance of 12 (RESULTS.md).
"""

from typing import Literal

import optax

from gan_jax import losses
from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, RunConfig
from gan_jax.config.flags import Fraction, PositiveFloat
from gan_jax.config.registry import Loss
from gan_jax.data import Source
from gan_jax.games import lapgan
from gan_jax.nets.lapgan import Level, Sizes, networks

SIZES = {
    # One doubling: from 7 x 7 pixels two generators have a digit to invent, and need several times as long.
    "small": Sizes((512, 512), (512, 512), dropout=0.0, finer=(Level(16, (3, 3, 3), 16, 3),), coarsest=16),
    "full": Sizes(),
}


def experiment(
    source: Source,
    common: RunConfig = RunConfig(images=256_000, batch_size=32, checkpoint_every=2000, sample_every=1000),
    preset: Literal["small", "full"] = "small",
    loss: Loss = losses.non_saturating,
    learning_rate: PositiveFloat = 1e-3,
    b1: Fraction = 0.5,
    ema: Fraction = 0.999,
) -> Experiment:
    """A game at every level of the Laplacian pyramid, with Adam in place of the paper's SGD with momentum.

    Args:
        source: The real images, whose height and width can be halved.
        common: The flags of every experiment.
        preset: Sizes of the networks: small ones, or the paper's.
        loss: What each side descends.
        learning_rate: Of Adam, for all players.
        b1: Adam's decay of the mean gradient.
        ema: Decay of the generators' moving averages, from which samples are drawn; 0 for none.
    """
    g, d = networks(source.shape, SIZES[preset])
    adam = optax.adam(learning_rate, b1=b1)
    game = lapgan.game(g, d, tx_g=adam, tx_d=adam, shape=source.shape, loss=loss, ema=ema)
    return Experiment((Phase(game, common.images),), common, grid=(5, 10))


if __name__ == "__main__":
    train_file(__file__)
