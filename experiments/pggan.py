"""Progressive growing: the networks learn small images first, and grow by a block of layers for each doubling.

    gan-jax train pggan --data mnist
    gan-jax train pggan --data photos/ --image-size 128 --preset full --images 6600000      # for accelerators

There is one phase per size: of 7, 14 and 28 pixels a side for digits, of 4, 8, 16, ... for powers of 2. The first one
has one share of the images, every later one two: while its new layers fade in, and afterwards. A share has 800,000
images in the paper and 600,000 in the authors' program, so 128 pixels take 11 shares.

The batch size doubles with every halving of the images, up to 128: from 128 at 16 pixels to 16 at 128 in the authors'
program. A phase begins with the weights and the moving average of the one before, and with new layers as they are
initialized; both optimizers begin anew, also those of the old layers, as in the authors' program.
"""

from dataclasses import dataclass
from itertools import pairwise

import jax
import optax

from gan_jax import losses
from gan_jax.cli import train_file
from gan_jax.config.augmentations import Augmentations
from gan_jax.config.experiment import Experiment, Phase, Row, RunConfig
from gan_jax.config.flags import Fraction, PositiveFloat, PositiveInt
from gan_jax.config.registry import Loss, Penalties
from gan_jax.data import Source
from gan_jax.engine.game import Game, images_per_step
from gan_jax.games import progressive, vanilla
from gan_jax.games.augmented import play_augmented
from gan_jax.nets import pggan
from gan_jax.nets.pair import Pair
from gan_jax.penalties import terms

MOST_EXAMPLES = 128
"""The batch size up to which doubling goes."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Config:
    """The flags of the experiment."""

    loss: Loss = losses.wasserstein
    """Adversarial loss."""
    penalty: Penalties = (terms.gradient_penalty(10.0), terms.drift(1e-3))
    """Penalties added to the losses."""
    augment: Augmentations = ()
    """What is done at random to the images that the discriminator sees, real and generated: for small data sets."""
    width: PositiveInt = 64
    """Twice the channels at the first size, halved with every doubling; the paper's is 8192."""
    max_width: PositiveInt = 32
    """Largest number of channels, and the size of the latent; the paper's is 512."""
    grow: bool = True
    """Begin with small images; `--no-grow` trains the last networks on large images only, to compare."""
    learning_rate: PositiveFloat = 4e-3
    """Learning rate of both players; 1e-3 in the paper, whose runs are longer."""
    b1: Fraction = 0.0
    """Adam's decay rate of the mean gradient."""
    b2: Fraction = 0.99
    """Adam's decay rate of the mean squared gradient."""
    ema: Fraction = 0.999
    """Decay rate of the generator's moving average, from which samples are drawn; 0 for none."""


PRESETS = {
    "pggan": Row(
        "PGGAN, Karras 2018 (arXiv:1710.10196): both networks grow, and new layers fade in",
        RunConfig(160_000, batch_size=16, sample_every=500, checkpoint_every=1000),
        {"small": Config(), "full": Config(width=8192, max_width=512, learning_rate=1e-3)},
    ),
}


def game(pair: Pair, config: Config) -> Game:
    """Builds the game of networks without growing."""
    adam = optax.adam(config.learning_rate, b1=config.b1, b2=config.b2, eps=1e-8)
    options = {"z_size": config.max_width, "loss": config.loss, "penalties": config.penalty, "ema": config.ema}
    return play_augmented(vanilla.game(pair.g, pair.d, adam, adam, **options), config.augment)


def lengths(images: int, phases: int) -> list[int]:
    """Divides images into phases: one share for the first, two for each of the others."""
    ends = [round(images * share / (2 * phases - 1)) for share in range(1, 2 * phases, 2)]
    return [end - start for start, end in pairwise([0, *ends])]


def batch_sizes(last: int, phases: int) -> list[int]:
    """Doubles the batch size from the last phase to the first, up to `MOST_EXAMPLES`."""
    return [max(last, min(MOST_EXAMPLES, last * 2**i)) for i in reversed(range(phases))]


def build(source: Source, run: RunConfig, config: Config) -> Experiment:
    """Builds one phase for each size of images; `--batch-size` is that of the last one."""
    pairs = pggan.networks(source.shape, config.width, config.max_width)
    pairs = pairs if config.grow else pairs[-1:]
    phases, first = [], 0
    of_phases = lengths(run.images, len(pairs)), batch_sizes(run.batch_size, len(pairs))
    for pair, images, batch_size in zip(pairs, *of_phases, strict=True):
        plain = game(pair, config)
        steps = -(-images // images_per_step(plain, batch_size))
        fade = progressive.linear_fade(first, max(1, steps // 2)) if phases else None
        phases.append(Phase(progressive.grow(plain, source.shape, pair.g.size, fade), images, batch_size))
        first += steps
    return Experiment(tuple(phase for phase in phases if phase.images), run, grid=(5, 10))


if __name__ == "__main__":
    train_file(__file__)
