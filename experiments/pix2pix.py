"""pix2pix: images translated to paired targets, by a U-Net against a discriminator of patches.

gan-jax train pix2pix                                        # outlines to digits
gan-jax train pix2pix --data facades.tar.gz --pair label,photo
gan-jax train pix2pix --distance-weight 0                    # adversarial only; --adversarial-weight 0: L1 only
gan-jax sample runs/pix2pix-0 --inputs outlines/ --out digits/
"""

from dataclasses import dataclass
from typing import Literal

import jax
import optax

from gan_jax import losses
from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, Row, RunConfig
from gan_jax.config.flags import Fraction, NonNegativeFloat, PositiveFloat, PositiveInt
from gan_jax.config.registry import Loss
from gan_jax.data import Source, derived
from gan_jax.games import paired
from gan_jax.losses.reconstruction import l1
from gan_jax.nets import unet
from gan_jax.nets.layers.normalization import Norm


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Config:
    """The flags of the experiment."""

    width: PositiveInt = 16
    """Channels of both networks' first layer; the paper's has 64."""
    norm: Norm = "instance"
    """Normalization; with batch, translations depend on the averages of training, and turn dark or blurred."""
    patch: Literal[1, 16, 34, 70, 142, 286] = 16
    """Side in pixels of the patches that the discriminator scores; the paper's is 70, for images of 256 pixels."""
    loss: Loss = losses.non_saturating
    """Adversarial loss."""
    distance_weight: NonNegativeFloat = 100.0
    """Weight of the L1 distance from the target."""
    adversarial_weight: NonNegativeFloat = 1.0
    """Weight of the adversarial loss."""
    conditional: bool = True
    """Whether the discriminator sees the input too."""
    flip: bool = False
    """Mirror half of the examples."""
    learning_rate: PositiveFloat = 2e-4
    """Learning rate of both players."""
    b1: Fraction = 0.5
    """Adam's decay rate of the mean gradient."""
    ema: Fraction = 0.99
    """Decay rate of the generator's moving average, with which images are translated; the paper has none, 0."""


PRESETS = {
    "pix2pix": Row(
        "pix2pix, Isola 2017 (arXiv:1611.07004): translation learned from pairs",
        RunConfig(80_000, batch_size=8, log_every=50, sample_every=500, checkpoint_every=1000),
        {
            "small": Config(),
            "full": Config(width=64, norm="batch", patch=70, flip=True, ema=0.0),
        },
    ),
}


def build(source: Source, run: RunConfig, config: Config) -> Experiment:
    """Builds the game on pairs; data without inputs gets its outlines as inputs."""
    data = source if "a" in source.spec else derived.edges(source)
    data = derived.flip(data) if config.flip else data
    g, d = unet.pair(data.shape, config.width, config.norm, config.patch)
    adam = optax.adam(config.learning_rate, b1=config.b1)
    game = paired.game(
        g,
        d,
        tx_g=adam,
        tx_d=adam,
        distance=l1,
        distance_weight=config.distance_weight,
        adversarial_weight=config.adversarial_weight,
        conditional=config.conditional,
        loss=config.loss,
        ema=config.ema,
    )
    return Experiment((Phase(game, run.images),), run, grid=(5, 3), data=data)


if __name__ == "__main__":
    train_file(__file__)
