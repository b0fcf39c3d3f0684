"""The length of a run, and the length for which its schedules are made: `--images` and `--schedule-images`.

A run that is resumed with other `--images` keeps the schedules that it began with, so that the run is the same function
of the step before and after, and `reproduce` plays it as a whole.
"""

import functools
import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gan_jax.config.experiment import Build, Experiment, Phase, RunConfig
from gan_jax.data import Source


def on_schedule(build: Build) -> Build:
    """Makes `build` see the length of the schedules as `common.images`, and fits its phases to the length of the run.

    A schedule sees the step only, so it must hold its last value by itself: those of optax that have an end do; one of
    your own needs `jnp.minimum(step / steps, 1)`.
    """

    @functools.wraps(build)
    def build_run(source: Source, common: RunConfig, *args: Any, **flags: Any) -> Experiment:
        length = common.schedule_images or common.images
        if length == common.images:
            return build(source, common, *args, **flags)
        experiment = build(source, replace(common, images=length), *args, **flags)
        return experiment._replace(
            phases=fit_phases(experiment.phases, common.images - length),
            common=replace(experiment.common, images=common.images),
        )

    return build_run


def fit_phases(phases: Sequence[Phase], more: int) -> tuple[Phase, ...]:
    """Lengthens the last phase by `more` images; if `more` is negative, shortens the phases from the end."""
    starts = [0, *itertools.accumulate(phase.images for phase in phases)]
    end = max(1, starts[-1] + more)
    kept = [phase for phase, start in zip(phases, starts, strict=False) if start < end]
    stops = [*starts[1 : len(kept)], end]
    return tuple(replace(phase, images=stop - start) for phase, start, stop in zip(kept, starts, stops, strict=False))
