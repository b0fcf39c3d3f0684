"""A translation of pairs small enough for tests: outlines to digits, on squared errors, then adversarial."""

import optax
from arena import FEATURES, Noisy, Patches

from gan_jax.config.experiment import Evaluation, Experiment, Phase, RunConfig
from gan_jax.data import Source, derived
from gan_jax.games import paired
from gan_jax.losses.reconstruction import squared_error


def experiment(
    source: Source,
    common: RunConfig = RunConfig(images=80, batch_size=8, log_every=5, sample_every=5, checkpoint_every=5),
) -> Experiment:
    """A tiny translation of pairs.

    Args:
        source: The targets.
        common: The flags of every experiment.
    """
    adam = optax.adam(1e-2)
    first = paired.regression(Noisy(), adam, distance=squared_error, ema=0.5)
    second = paired.game(Noisy(), Patches(), adam, adam, distance=squared_error, features=FEATURES, ema=0.5)

    def scores(nets, latents):
        made = nets["g"].ema(latents["a"], latents["keys"])
        return {"error": squared_error(latents["x"], made).mean()}

    phases = (Phase(first, common.images // 2), Phase(second, common.images // 2))
    data = derived.flip(derived.edges(source))
    return Experiment(phases, common, grid=(2, 3), evaluation=Evaluation(scores, 16), data=data)
