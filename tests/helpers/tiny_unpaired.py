"""A translation of unpaired domains small enough for tests, with pools that are half full after half of the run."""

import optax
from arena import CLASSIFIER, Noisy, Patches

from gan_jax.config.experiment import Experiment, Phase, RunConfig
from gan_jax.data import Source
from gan_jax.data.sources.unpaired import unpaired
from gan_jax.games import cyclegan


def experiment(
    source: Source,
    common: RunConfig = RunConfig(images=80, batch_size=8, log_every=5, sample_every=5, checkpoint_every=5),
) -> Experiment:
    """A tiny translation of digits to digits, in orders of their own.

    Args:
        source: The images of both domains.
        common: The flags of every experiment.
    """
    adam = optax.adam(1e-2)
    nets = (Noisy(), Noisy(), Patches(), Patches())
    game = cyclegan.game(*nets, adam, adam, pool_size=60, classifiers={"a": CLASSIFIER}, ema=0.5)
    return Experiment((Phase(game, common.images),), common, grid=(2, 2), data=unpaired(source, source))
