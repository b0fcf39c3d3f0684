"""The preview grid of a run, and the experiment's own scores."""

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
    """`picture(state)`: the experiment's own, or by default a grid of samples, as `draw` draws them."""
    if experiment.preview:
        return experiment.preview(game)
    shown = preview_latents(experiment, game)
    return lambda state: image_grid(to_uint8(draw(state, shown)), *experiment.grid)


def experiment_scores(experiment: Experiment, game: Game) -> Callable[[State], Metrics]:
    """`judge(state) -> scores`, on the same latents every time; nothing where the experiment has no evaluation."""
    evaluation = experiment.evaluation
    if evaluation is None:
        return lambda state: {}
    judged = draw_latents(game, jax.random.key(experiment.common.seed), evaluation.samples)
    scores = jax.jit(lambda players, judged: evaluation.scores(bind(game, players), judged))
    return lambda state: scores(state.players, judged)


def merge_scores(*judges: Callable[[State], Metrics]) -> Callable[[State], Metrics]:
    """`judge(state) -> scores`: those of all the judges."""
    return lambda state: functools.reduce(operator.or_, (judge(state) for judge in judges))


def preview_latents(experiment: Experiment, game: Game) -> Latents:
    """The latents of the sample grids: the same in all of a run, and those that `gan-jax sample` draws by default."""
    rows, cols = experiment.grid
    return draw_latents(game, jax.random.key(experiment.common.seed), rows * cols, cycle_classes(game))
