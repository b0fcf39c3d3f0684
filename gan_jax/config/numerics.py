"""Settings of the numerics of any experiment: `--dtype`."""

import functools
from dataclasses import replace
from typing import Any

import jax.numpy as jnp

from gan_jax.config.experiment import Build, Experiment, Phase, RunConfig
from gan_jax.data import Source
from gan_jax.engine.game import slice_count
from gan_jax.games.numerics import compute_in


def in_numerics(build: Build) -> Build:
    """Makes `build` play its games with the numerics of `common`; the defaults leave them as they are.

    Raises:
        BadInput: (from `build`) as `games.numerics`.
    """

    @functools.wraps(build)
    def build_run(source: Source, common: RunConfig, *args: Any, **flags: Any) -> Experiment:
        experiment = build(source, common, *args, **flags)
        spec = experiment.played_on(source).spec

        def changed(phase: Phase) -> Phase:
            size = phase.flags(common).batch_size
            batch = {name: leaf.abstract(slice_count(phase.game), size) for name, leaf in spec.items()}
            return replace(phase, game=compute_in(phase.game, jnp.dtype(common.dtype), batch))

        if common.dtype == "float32":
            return experiment
        return experiment._replace(phases=tuple(map(changed, experiment.phases)))

    return build_run
