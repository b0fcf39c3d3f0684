"""Convolutional GAN on Stacked-MNIST, three digits in the colors of one image: 1,000 modes, of which a GAN loses many.

    gan-jax train stacked_mnist                                   # triples of 5,000 digits, no download
    gan-jax train stacked_mnist --data stacked:mnist              # of all 60,000
    gan-jax train stacked_mnist --loss relativistic_paired --penalty r1:1+r2:1 --run-dir runs/relativistic
    gan-jax train stacked_mnist --pack 2 --run-dir runs/packed

Cost: 8,000 steps, about a quarter of an hour on two CPU cores. Expect at half of that 927 modes and a reverse KL of
0.92, with R1 + R2 990 and 0.51. See RESULTS.md for the protocol.
"""

import optax

from gan_jax import losses
from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, RunConfig
from gan_jax.config.flags import Fraction, PositiveFloat, PositiveInt
from gan_jax.config.registry import Loss, Penalties
from gan_jax.data import Source
from gan_jax.errors import BadInput
from gan_jax.games import vanilla
from gan_jax.nets import dcgan
from gan_jax.nets.layers.packed import Packed


def experiment(
    source: Source,
    common: RunConfig = RunConfig(images=1_024_000, batch_size=128, data="stacked:mnist5k", sample_every=500),
    loss: Loss = losses.non_saturating,
    penalty: Penalties = (),
    pack: PositiveInt = 1,
    width: PositiveInt = 16,
    learning_rate: PositiveFloat = 1e-3,
    b1: Fraction = 0.5,
    ema: Fraction = 0.99,
) -> Experiment:
    """A narrow convolutional GAN with batch norm in the generator.

    Args:
        source: The real images, 28 x 28 or 32 x 32, in color.
        common: The flags of every experiment.
        loss: What each side descends.
        penalty: What each side descends besides.
        pack: How many images the discriminator judges together (PacGAN).
        width: Maps of the discriminator's first layer; its second has twice as many, the generator's 4, 2 and 1 times.
        learning_rate: Of Adam, for both players.
        b1: Adam's decay of the mean gradient.
        ema: Decay of the generator's moving average, from which samples are drawn; 0 for none.
    """
    if source.shape not in ((28, 28, 3), (32, 32, 3)):
        raise BadInput(f"{source.name} has examples of shape {source.shape}: give --data stacked:mnist5k, say")
    discriminator = dcgan.Discriminator(widths=(width, 2 * width))
    adam = optax.adam(learning_rate, b1=b1)
    game = vanilla.game(
        dcgan.Generator(channels=3, size=source.shape[0], widths=(4 * width, 2 * width, width), norm=True),
        Packed(discriminator, pack) if pack > 1 else discriminator,
        tx_g=adam,
        tx_d=adam,
        loss=loss,
        penalties=penalty,
        ema=ema,
    )
    return Experiment(phases=(Phase(game, common.images),), common=common)


if __name__ == "__main__":
    train_file(__file__)
