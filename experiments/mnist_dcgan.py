"""Convolutional GAN on MNIST: the tutorial's settings (--preset tutorial), and ours that train well (the default).

    python experiments/mnist_dcgan.py                                # 5,000 digits, no download
    python experiments/mnist_dcgan.py --data mnist --preset tutorial --images 128000

Cost: 2,000 steps in 13 to 16 minutes on two CPU cores. Expect: clean strokes by 50,000 images, digits of most classes
by 128,000, many of them broken, at a Fréchet distance of 37 (see RESULTS.md for the protocol). The tutorial's settings
(Adam 1e-3 with b1 0.9, no batch norm) fail: the discriminator wins within a few hundred steps and the generator draws
black. See RESULTS.md for both grids.
"""

from typing import Literal, NamedTuple

import optax

from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, RunConfig
from gan_jax.config.flags import Fraction, PositiveFloat, PositiveInt
from gan_jax.data import Source
from gan_jax.errors import BadInput
from gan_jax.games import vanilla
from gan_jax.nets import dcgan


class Preset(NamedTuple):
    """What the two presets disagree on."""

    learning_rate: float
    b1: float
    norm: bool
    ema: float


PRESETS = {
    "good": Preset(learning_rate=1e-3, b1=0.5, norm=True, ema=0.99),
    "tutorial": Preset(learning_rate=1e-3, b1=0.9, norm=False, ema=0.0),
}


def experiment(
    source: Source,
    common: RunConfig = RunConfig(images=256_000, batch_size=128, checkpoint_every=500),
    preset: Literal["good", "tutorial"] = "good",
    z_size: PositiveInt = 100,
    learning_rate: PositiveFloat | None = None,
    b1: Fraction | None = None,
    ema: Fraction | None = None,
) -> Experiment:
    """The convolutional GAN of the classic tutorials.

    Args:
        source: The real images; height and width must be multiples of 4.
        common: The flags of every experiment.
        preset: Settings to start from; the flags below, where given, replace its own.
        z_size: Length of the latent, standard normal.
        learning_rate: Of Adam, for both players.
        b1: Adam's decay of the mean gradient.
        ema: Decay of the generator's moving average, from which samples are drawn; 0 for none.
    """
    given = {"learning_rate": learning_rate, "b1": b1, "ema": ema}
    chosen = PRESETS[preset]._replace(**{name: value for name, value in given.items() if value is not None})
    height, width, channels = source.shape
    if height != width or height % 4:
        raise BadInput(f"{source.name} has images of {height}x{width}: they must be square, a multiple of 4")
    adam = optax.adam(chosen.learning_rate, b1=chosen.b1)
    game = vanilla.game(
        dcgan.Generator(channels=channels, size=height, norm=chosen.norm),
        dcgan.Discriminator(),
        tx_g=adam,
        tx_d=adam,
        z_size=z_size,
        ema=chosen.ema,
    )
    return Experiment(phases=(Phase(game, common.images),), common=common)


if __name__ == "__main__":
    train_file(__file__)
