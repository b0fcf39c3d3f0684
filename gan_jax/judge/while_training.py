"""Scores while a run is trained, by the same protocol as `gan-jax evaluate` has: `--evaluate fid,prdc`."""

from collections.abc import Callable
from functools import partial

import jax

from gan_jax.data import Source, open_source
from gan_jax.experiment import Common
from gan_jax.game import Game, State
from gan_jax.judge import networks
from gan_jax.judge.evidence import Evidence, Reference, look_at, see
from gan_jax.judge.lens import lens
from gan_jax.judge.suite import Values, measure, named

SEED = 0
"""Of the samples that are judged: the same for all runs, whatever their own seed."""


def assessment(common: Common, source: Source) -> Callable[[Game], Callable[[State], Values]]:
    """`assessment(common, source)(game)(state) -> scores` by `--evaluate`; looks at the real images once.

    Raises:
        BadInput: a metric or feature network that there is not, or one that the images do not suit.
    """
    metrics, n = named(common.evaluate), common.evaluate_samples
    net = lens(common.features, common.inception_weights, source.shape, source.name)
    held_out = partial(open_source, common.data, common.data_dir, "test", common.image_size)
    reference = Reference("train", source, held_out)
    real, key = look_at(reference, net, n), jax.random.key(SEED)

    def of_game(game: Game) -> Callable[[State], Values]:
        draw = networks.drawer(game, key)

        def assess(state: State) -> Values:
            fake = see(net, *draw(state, n))
            evidence = Evidence(fake, real, reference, networks.networks(game, state, key, net))
            return {name: value for values in measure(metrics, evidence).values() for name, value in values.items()}

        return assess

    return of_game
