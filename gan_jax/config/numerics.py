"""Settings of the numerics of any experiment: `--dtype`, `--remat` and `--accumulate`."""

import functools
from dataclasses import replace
from typing import Any

import jax.numpy as jnp

from gan_jax.config.experiment import Build, Experiment, Phase, RunConfig
from gan_jax.data import Source
from gan_jax.engine.game import slice_count
from gan_jax.engine.validate import check_batch
from gan_jax.games.numerics import compute_in, rematerialized


def in_numerics(build: Build) -> Build:
    """Makes `build` play its games with the numerics of `common`; the defaults leave them as they are.

    Raises:
        BadInput: (from `build`) as `games.numerics`, or a batch has no such parts.
    """

    @functools.wraps(build)
    def build_run(source: Source, common: RunConfig, *args: Any, **flags: Any) -> Experiment:
        experiment = build(source, common, *args, **flags)
        spec = experiment.played_on(source).spec

        def changed(phase: Phase) -> Phase:
            size, game = phase.flags(common).batch_size, phase.game
            batch = {name: leaf.abstract(slice_count(game), size) for name, leaf in spec.items()}
            if common.dtype != "float32":
                game = compute_in(game, jnp.dtype(common.dtype), batch)
            if common.remat:
                game = rematerialized(game)
            game = game._replace(parts=common.accumulate)
            check_batch(game, batch)
            return replace(phase, game=game)

        if (common.dtype, common.remat, common.accumulate) == ("float32", False, 1):
            return experiment
        return experiment._replace(phases=tuple(map(changed, experiment.phases)))

    return build_run
