"""The preview picture of a run, and the experiment's own scores."""

import functools
import operator
from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import UInt8

from gan_jax.config.experiment import Experiment
from gan_jax.engine.game import Game, Latents, Metrics, State
from gan_jax.engine.networks import bind
from gan_jax.sampling.latents import cycle_classes, draw_latents
from gan_jax.sampling.sampler import Draw
from gan_jax.viz.images import image_grid, to_uint8


def preview_picture(experiment: Experiment, game: Game, draw: Draw) -> Callable[[State], UInt8[np.ndarray, "H W C"]]:
    """Returns `picture(state)`: the experiment's own preview, or by default a grid of samples drawn with `draw`."""
    if experiment.preview:
        return experiment.preview(game)
    shown = functools.cache(lambda: preview_latents(experiment, game))  # drawn while the device trains
    return lambda state: image_grid(to_uint8(draw(state, shown())), *experiment.grid)


def experiment_scores(experiment: Experiment, game: Game) -> Callable[[State], Metrics]:
    """Returns `scores(state)`, on the same latents every time; empty for an experiment without evaluation."""
    evaluation = experiment.evaluation
    if evaluation is None:
        return lambda state: {}
    latents = draw_latents(game, jax.random.key(experiment.common.seed), evaluation.samples)
    scores = jax.jit(lambda players, latents: evaluation.scores(bind(game, players), latents))
    return lambda state: scores(state.players, latents)


def merge_scores(*scorers: Callable[[State], Metrics]) -> Callable[[State], Metrics]:
    """Merges functions of a state into one that returns the scores of all."""
    return lambda state: functools.reduce(operator.or_, (scores(state) for scores in scorers))


def preview_latents(experiment: Experiment, game: Game) -> Latents:
    """Draws the latents of the preview grid: the same throughout a run, and the default of `gan-jax sample`."""
    rows, cols = experiment.grid
    return draw_latents(game, jax.random.key(experiment.common.seed), rows * cols, cycle_classes(game))
