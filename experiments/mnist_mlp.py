"""Fully connected GAN on MNIST, the classic tutorials'.

    python experiments/mnist_mlp.py                   # 5,000 digits, no download: what `make demo` runs
    python experiments/mnist_mlp.py --data mnist      # all 60,000, through tensorflow-datasets

Cost: 10,000 steps in under three minutes on two CPU cores. Expect: digits of most classes by 200,000 images, some of
them broken; with --data mnist a Fréchet distance of 9.1 in the end (see RESULTS.md for the protocol). The tutorials
draw from the generator as it is, with a speckled background (--ema 0); here samples come from its moving average, of
which training sees nothing.
"""

import optax

from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, RunConfig
from gan_jax.config.flags import Fraction, PositiveFloat, PositiveInt
from gan_jax.data import Source
from gan_jax.engine.game import turn
from gan_jax.games import vanilla
from gan_jax.nets import mlp


def experiment(
    source: Source,
    common: RunConfig = RunConfig(images=320_000, batch_size=32, checkpoint_every=5000),
    z_size: PositiveInt = 100,
    learning_rate: PositiveFloat = 2e-4,
    b1: Fraction = 0.5,
    d_turns: PositiveInt = 1,
    g_turns: PositiveInt = 2,
    ema: Fraction = 0.999,
) -> Experiment:
    """The fully connected GAN of the classic Keras tutorials, trained to be called real.

    Args:
        source: The real images.
        common: The flags of every experiment.
        z_size: Length of the latent, standard normal.
        learning_rate: Of Adam, for both players.
        b1: Adam's decay of the mean gradient.
        d_turns: Discriminator turns in a step.
        g_turns: Generator turns after them.
        ema: Decay of the generator's moving average, from which samples are drawn; 0 for none.
    """
    adam = optax.adam(learning_rate, b1=b1)
    game = vanilla.game(
        mlp.Generator(shape=source.shape),
        mlp.Discriminator(),
        tx_g=adam,
        tx_d=adam,
        z_size=z_size,
        turns=lambda d, g: d_turns * (turn(d),) + g_turns * (turn(g),),
        ema=ema,
    )
    return Experiment(phases=(Phase(game, common.images),), common=common)


if __name__ == "__main__":
    train_file(__file__)
