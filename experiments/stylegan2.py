"""StyleGAN2: a style for every layer, demodulated convolutions, skip generator, residual discriminator.

    gan-jax train stylegan2
    gan-jax train stylegan2 --data PHOTOS --image-size 64 --preset full      # for accelerators

`--preset full` has the widths, rate and weight of R1 of the authors' `auto` setting below 512 pixels, for batches of
32; at 512 and more, `--width 32768 --mapping-layers 8` is configuration F of the paper. `--preset small` has 12,000
steps where the authors have 800,000, and a higher rate: with theirs, and their weight of R1, its samples were all alike
after 1,500 steps.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from gan_jax.cli import train_file
from gan_jax.config.augmentations import Augmentations
from gan_jax.config.experiment import Experiment, Phase, Row, RunConfig
from gan_jax.config.flags import Fraction, NonNegativeFloat, PositiveFloat, PositiveInt
from gan_jax.data import Source
from gan_jax.games import stylegan2
from gan_jax.games.augmented import play_augmented
from gan_jax.nets import stylegan2 as nets
from gan_jax.penalties import lazy_adam

R1_EVERY, PATH_EVERY = 16, 4
"""Steps between two lazy turns (app. B)."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Config:
    """The flags of the experiment."""

    width: PositiveInt = 256
    """Channels times pixels a side of every map; 16384 in the authors' program below 512 pixels."""
    most: PositiveInt = 32
    """Channels at most; 512 in the paper."""
    latent: PositiveInt = 64
    """Size of z and w; 512 in the paper."""
    mapping_layers: PositiveInt = 2
    """Layers of the mapping network; 8 in the paper."""
    learning_rate: PositiveFloat = 5e-3
    """Learning rate of both players, per step without lazy turns."""
    gamma: PositiveFloat = 0.1
    """Weight of R1 times the batch size, per pixel of an image; 2e-4 in the authors' `auto` setting."""
    path_weight: NonNegativeFloat = 2.0
    """Weight of the path length regularization."""
    augment: Augmentations = ()
    """What is done at random to the images that the discriminator sees, real and generated; with `ada` this is
    StyleGAN2-ADA, Karras 2020 (arXiv:2006.06676)."""
    mixing: Fraction = 0.9
    """Probability of two styles in an image of the training."""


PRESETS = {
    "stylegan2": Row(
        "StyleGAN2, Karras 2020 (arXiv:1912.04958): a style for every layer, smooth paths of latents",
        RunConfig(192_000, batch_size=16, checkpoint_every=2000, sample_every=1000),
        {
            "small": Config(),
            "full": Config(width=16384, most=512, latent=512, learning_rate=2.5e-3, gamma=2e-4),
        },
    ),
}


def build(source: Source, run: RunConfig, config: Config) -> Experiment:
    """Builds StyleGAN2 with the lazy turns, path length and average of the `auto` setting of the authors' program.

    Karras et al. 2020, "Training generative adversarial networks with limited data", app. C
    (https://arxiv.org/abs/2006.06676).
    """
    g, d = nets.pair(source.shape, config.width, config.most, config.latent, config.mapping_layers)
    half_life = 10_000 * run.batch_size / 32
    game = stylegan2.game(
        g,
        d,
        # Corrected for the lazy turns here, and nowhere else.
        tx_g=lazy_adam(PATH_EVERY, config.learning_rate, b1=0.0, b2=0.99),
        tx_d=lazy_adam(R1_EVERY, config.learning_rate, b1=0.0, b2=0.99),
        z_size=config.latent,
        mixing=config.mixing,
        gamma=config.gamma * source.shape[0] * source.shape[1] / run.batch_size,
        r1_every=R1_EVERY,
        path_weight=config.path_weight,
        path_every=PATH_EVERY,
        ema=lambda images: jnp.minimum(half_life, 0.05 * images),
    )
    return Experiment((Phase(play_augmented(game, config.augment), run.images),), run, grid=(5, 10))


if __name__ == "__main__":
    train_file(__file__)
