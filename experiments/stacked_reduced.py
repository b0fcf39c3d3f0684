"""Three remedies for mode collapse, on Stacked-MNIST with a discriminator that is a quarter of the generator's size.

    gan-jax train stacked_reduced --data stacked:mnist                                             # none of them
    gan-jax train stacked_reduced --data stacked:mnist --pack 4 --run-dir runs/pack4               # PacGAN
    gan-jax train stacked_reduced --data stacked:mnist --similarity 16 --run-dir runs/similarity16
    gan-jax train stacked_reduced --data stacked:mnist --unroll 5 --run-dir runs/unroll5           # unrolled GAN
    gan-jax evaluate runs/pack4 --metrics modes --samples 25600

Cost: eight minutes on one CPU core, five times as long with --unroll 5. Expect 473 modes of 1,000 with none, 786 with
packs of four (one seed; RESULTS.md), in samples that are not clean digits yet. Others report after 500,000 steps at
rates of a fifth (`--g-learning-rate 1e-4 --d-learning-rate 2e-4 --images 64000000`): DCGAN 30.6, unrolled by ten steps
327, PacGAN with packs of four 667.
"""

from functools import partial

import optax

from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, RunConfig
from gan_jax.config.flags import Fraction, NonNegativeInt, PositiveFloat, PositiveInt
from gan_jax.data import Source
from gan_jax.engine.dynamics import unrolled
from gan_jax.errors import BadInput
from gan_jax.games import vanilla
from gan_jax.nets import stacked_mnist
from gan_jax.nets.layers.minibatch import MinibatchDiscrimination
from gan_jax.nets.layers.packed import Packed


def experiment(
    source: Source,
    common: RunConfig = RunConfig(images=768_000, batch_size=128, data="stacked:mnist5k", sample_every=1000),
    pack: PositiveInt = 1,
    similarity: NonNegativeInt = 0,
    unroll: NonNegativeInt = 0,
    width: PositiveInt = 2,
    g_learning_rate: PositiveFloat = 5e-4,
    d_learning_rate: PositiveFloat = 1e-3,
    ema: Fraction = 0.99,
) -> Experiment:
    """The original game on the networks of Metz et al. 2017, and what has been proposed against its mode collapse.

    Args:
        source: The real images, 28 x 28 or 32 x 32, in color.
        common: The flags of every experiment.
        pack: How many images the discriminator judges together (PacGAN).
        similarity: How many features tell the discriminator how close an image is to the others of the batch
            (minibatch discrimination); 0 for none.
        unroll: How many updates of the discriminator the generator foresees (unrolled GAN). Both players then move at
            once; with 0 the generator answers the discriminator's move.
        width: Maps of the discriminator's first layer; the next have twice and four times as many. 2 is a quarter of
            the generator's size, 4 half of it.
        g_learning_rate: Of the generator's Adam.
        d_learning_rate: Of the discriminator's Adam.
        ema: Decay of the generator's moving average, from which samples are drawn; 0 for none.
    """
    if source.shape not in ((28, 28, 3), (32, 32, 3)):
        raise BadInput(f"{source.name} has examples of shape {source.shape}: give --data stacked:mnist5k, say")
    top = MinibatchDiscrimination(similarity) if similarity else None
    discriminator = stacked_mnist.discriminator(width, top)
    game = vanilla.game(
        stacked_mnist.Generator(size=source.shape[0]),
        Packed(discriminator, pack) if pack > 1 else discriminator,
        tx_g=optax.adam(g_learning_rate, b1=0.5, b2=0.99),
        # eps_root is for the gradient that goes through the discriminator's updates.
        tx_d=optax.adam(d_learning_rate, b1=0.5, b2=0.99, eps_root=1e-16),
        z_size=256,
        turns=partial(vanilla.simultaneous, dynamics=unrolled(unroll)) if unroll else vanilla.alternating,
        ema=ema,
    )
    return Experiment((Phase(game, common.images),), common)


if __name__ == "__main__":
    train_file(__file__)
