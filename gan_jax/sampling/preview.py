"""The preview picture of a run, and the experiment's own scores."""

import functools
import operator
from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import Array, Key, UInt8

from gan_jax.config.experiment import Experiment
from gan_jax.data.source import Source, read_batch
from gan_jax.engine.game import Batch, Game, Latents, Metrics, State
from gan_jax.engine.networks import bind
from gan_jax.sampling.latents import cycle_classes, draw_latents
from gan_jax.sampling.pictures import draw_samples
from gan_jax.sampling.sampler import Draw
from gan_jax.sampling.translation import draw_columns, side_by_side_columns


def preview_picture(
    experiment: Experiment, game: Game, source: Source, draw: Draw
) -> Callable[[State], UInt8[np.ndarray, "H W C"]]:
    """Returns `picture(state)`: the experiment's own preview, or by default a picture of samples drawn with `draw`.

    A game with conditions shows each sample between its inputs and the real example, the target.
    """
    if experiment.preview:
        return experiment.preview(game)
    shown = functools.cache(lambda: preview_latents(experiment, game, source))  # drawn while the device trains
    rows, cols = experiment.grid
    if not game.conditions:
        return lambda state: draw_samples(source.spec["x"].modality, draw(state, shown()), rows, cols)
    real = functools.cache(lambda: spread_examples(source, rows * cols))

    def picture(state: State) -> UInt8[np.ndarray, "H W C"]:
        return draw_columns(side_by_side_columns(game, draw(state, shown()), real()), rows, cols)

    return picture


def experiment_scores(experiment: Experiment, game: Game, source: Source) -> Callable[[State], Metrics]:
    """Returns `scores(state)`, on the same latents every time; empty for an experiment without evaluation."""
    evaluation = experiment.evaluation
    if evaluation is None:
        return lambda state: {}
    latents = scored_latents(game, jax.random.key(experiment.common.seed), evaluation.samples, source)
    scores = jax.jit(lambda players, latents: evaluation.scores(bind(game, players), latents))
    return lambda state: scores(state.players, latents)


def merge_scores(*scorers: Callable[[State], Metrics]) -> Callable[[State], Metrics]:
    """Merges functions of a state into one that returns the scores of all."""
    return lambda state: functools.reduce(operator.or_, (scores(state) for scores in scorers))


def scored_latents(game: Game, key: Key[Array, ""], n: int, source: Source) -> Latents:
    """Draws the latents of `n` samples for scores; in a game with conditions, with all arrays of the examples."""
    examples = spread_examples(source, n) if game.conditions else {}
    return {**examples, **draw_latents(game, key, n, examples=examples)}


def preview_latents(experiment: Experiment, game: Game, source: Source) -> Latents:
    """Draws the latents of the preview grid: the same throughout a run, and the default of `gan-jax sample`."""
    rows, cols = experiment.grid
    examples = spread_examples(source, rows * cols) if game.conditions else {}
    return draw_latents(game, jax.random.key(experiment.common.seed), rows * cols, cycle_classes(game), examples)


def spread_examples(source: Source, n: int) -> Batch:
    """Reads `n` examples spread evenly over a data set, the same every time; a small set is repeated."""
    return read_batch(source, np.linspace(0, source.size - 1, n).astype(int))
