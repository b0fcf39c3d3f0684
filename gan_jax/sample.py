"""What the generator has learnt, drawn and judged: samples of chosen latents, a run's picture, its own scores."""

import functools
import operator
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, UInt8

from gan_jax import pictures
from gan_jax.bound import bind
from gan_jax.chosen import in_turn, latents
from gan_jax.experiment import Experiment
from gan_jax.game import Game, Latents, Metrics, State

CHUNK = 64
"""Images in one call of the network: bounds the memory, and every call is the same program with the same bits."""

Draw = Callable[[State, Latents], Float[np.ndarray, "N ..."]]
"""`draw(state, latents) -> samples`."""


def sampler(game: Game) -> Draw:
    """`draw(state, latents) -> images in [-1, 1]`, by the players' moving averages; compiled once."""

    @jax.jit
    def chunk(players, latents):
        return game.sample(bind(game, players), latents)

    def draw(state: State, latents: Latents) -> Float[np.ndarray, "N ..."]:
        n = latents["z"].shape[0]
        images = []
        for start in range(0, n, CHUNK):
            rows = jnp.arange(start, start + CHUNK) % n
            images.append(chunk(state.players, {name: leaf[rows] for name, leaf in latents.items()}))
        return np.concatenate(images)[:n]

    return draw


def portrait(experiment: Experiment, game: Game, draw: Draw) -> Callable[[State], UInt8[np.ndarray, "H W C"]]:
    """`picture(state)`: the experiment's own, or by default a grid of samples, as `draw` draws them."""
    if experiment.portrait:
        return experiment.portrait(game)
    shown = grid_latents(experiment, game)
    return lambda state: pictures.grid(pictures.to_uint8(draw(state, shown)), *experiment.grid)


def judgement(experiment: Experiment, game: Game) -> Callable[[State], Metrics]:
    """`judge(state) -> scores`, on the same latents every time; nothing where the experiment has no evaluation."""
    evaluation = experiment.evaluation
    if evaluation is None:
        return lambda state: {}
    judged = latents(game, jax.random.key(experiment.common.seed), evaluation.samples)
    scores = jax.jit(lambda players, judged: evaluation.scores(bind(game, players), judged))
    return lambda state: scores(state.players, judged)


def together(*judges: Callable[[State], Metrics]) -> Callable[[State], Metrics]:
    """`judge(state) -> scores`: those of all the judges."""
    return lambda state: functools.reduce(operator.or_, (judge(state) for judge in judges))


def grid_latents(experiment: Experiment, game: Game) -> Latents:
    """The latents of the sample grids: the same in all of a run, and those that `gan-jax sample` draws by default."""
    rows, cols = experiment.grid
    return latents(game, jax.random.key(experiment.common.seed), rows * cols, in_turn(game))
