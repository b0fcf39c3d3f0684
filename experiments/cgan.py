"""Conditional GAN, the first: fully connected networks that are told the digit; every column of a grid is one.

    gan-jax train cgan --data mnist --evaluate fid,label_accuracy
    gan-jax train cgan --data mnist --preset full --batch-size 100 --images 20000000     # the paper's optimizer

Cost: four minutes on one CPU core. Expect a Fréchet distance of 10, and 89 % of digits as asked (RESULTS.md).
"""

from typing import Literal

import optax

from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, RunConfig
from gan_jax.config.flags import Fraction
from gan_jax.data import Source
from gan_jax.errors import BadInput
from gan_jax.games import conditional
from gan_jax.nets import cgan


def experiment(
    source: Source,
    common: RunConfig = RunConfig(images=400_000, batch_size=32, checkpoint_every=4000, sample_every=2000),
    preset: Literal["small", "full"] = "small",
    ema: Fraction = 0.999,
) -> Experiment:
    """The conditional game on the networks of Mirza and Osindero 2014.

    Latents are standard normal, where the paper's are uniform.

    Args:
        source: The real images, with labels.
        common: The flags of every experiment.
        preset: Full: the paper's sizes, dropout and descent with momentum. Small: narrower, and Adam, rate 1e-3 and b1
            0.5. In ten thousand steps the paper's generator draws one image of every class, for it varies by dropout
            rather than by its latent, and its label has five times the units; so here there is batch norm in place of
            dropout, and the label has half of the units.
        ema: Decay of the generator's moving average, from which samples are drawn; 0 for none.
    """
    classes = len(source.classes)
    if not classes:
        raise BadInput(f"{source.name} has no labels: give --data mnist5k, or a folder of class folders")
    if preset == "full":
        tx, g, d = paper(), cgan.Generator(source.shape, classes), cgan.Discriminator(classes)
    else:
        tx = optax.adam(1e-3, b1=0.5)
        g = cgan.Generator(source.shape, classes, units=(200, 100, 600), dropout=0.0, norm=True)
        d = cgan.Discriminator(classes, units=(120, 50, 120), dropout=0.2)
    game = conditional.game(g, d, tx_g=tx, tx_d=tx, classes=classes, g_dropout=True, ema=ema)
    return Experiment((Phase(game, common.images),), common, grid=(5, 10))


def paper() -> optax.GradientTransformation:
    """Rate 0.1, divided by 1.00004 in every step until it is 1e-6, and momentum that grows from 0.5 to 0.7 (sec. 4.1).

    The paper does not say how fast it grows: here linearly, in 100,000 steps.
    """
    return optax.inject_hyperparams(optax.sgd)(
        learning_rate=optax.exponential_decay(0.1, transition_steps=1, decay_rate=1 / 1.00004, end_value=1e-6),
        momentum=optax.linear_schedule(0.5, 0.7, transition_steps=100_000),
    )


if __name__ == "__main__":
    train_file(__file__)
