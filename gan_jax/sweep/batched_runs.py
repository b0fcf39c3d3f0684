"""Trains many runs as one program: each with its own seed, data order and floating-point settings.

By default runs are vmapped and spread over devices; each agrees with the single run of `train` up to rounding. With
`exact` they run one after the other under `lax.map`, the batch split over devices; each equals the single run bit for
bit.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Float, Int, Key

from gan_jax.config.experiment import Experiment, RunConfig, ScheduledPhase, schedule_phases
from gan_jax.data import Source, device_resident
from gan_jax.data.on_device import Inputs, draws
from gan_jax.engine.game import Game, Metrics, State, slice_count
from gan_jax.engine.networks import bind
from gan_jax.engine.parallel import BATCH_AXIS, SEEDS
from gan_jax.engine.step import frozen_variables, init, make_step
from gan_jax.evaluation.evaluator import Evaluator, ranked_scores
from gan_jax.sampling.preview import scored_latents
from gan_jax.sweep.grid import Combination, varied_floats
from gan_jax.training.chunk import mean, over_steps
from gan_jax.training.compiler import compiler_options
from gan_jax.training.loop import Trainable, run_chunks
from gan_jax.training.train import abstract_batch

Build = Callable[..., Experiment]
Floats = Float[Array, " K"]
"""The floating-point settings of one run that differ between runs."""
RunMetrics = dict[str, Float[Array, " R"]]
"""Metrics of all R runs."""


class Placement(NamedTuple):
    """Shardings over devices."""

    state: State
    """For the state; `step` is shared by all runs."""
    runs: NamedSharding
    """For arrays with a leading axis of runs."""
    inputs: NamedSharding
    """For inputs `[n, R, turn, B]`."""


class BatchedRuns(NamedTuple):
    """Combinations that differ in floats only, times seeds; run `c * len(seeds) + s` is combination c with seed s."""

    build: Build
    source: Source
    combinations: Sequence[Combination]
    seeds: Sequence[int]
    exact: bool
    mesh: Mesh

    @property
    def experiment(self) -> Experiment:
        """The experiment of the first combination."""
        return self.build(self.source, **self.combinations[0].kwargs)

    @property
    def data(self) -> Source:
        """The examples that every run is played on."""
        return self.experiment.played_on(self.source)

    @property
    def plan(self) -> list[ScheduledPhase]:
        """The phases, the same for all runs."""
        return schedule_phases(self.experiment)

    def flags(self, phase: int) -> RunConfig:
        """Returns the flags of all runs in a phase."""
        return self.experiment.phases[phase].flags(self.experiment.common)

    @property
    def keys(self) -> Key[Array, " R"]:
        """The key of every run, equal to the single run's."""
        return jnp.stack([jax.random.key(seed) for _ in self.combinations for seed in self.seeds])

    @property
    def floats(self) -> Float[Array, "R K"]:
        """The varied floats of every run."""
        return jnp.repeat(varied_floats(self.combinations).values, len(self.seeds), axis=0)

    @property
    def placement(self) -> Placement:
        """Shards the axis of runs over devices, or with `exact` the batch."""
        replicated, first, second, fourth = (
            NamedSharding(self.mesh, P(*axes))
            for axes in ((), (BATCH_AXIS,), (None, BATCH_AXIS), (None, None, None, BATCH_AXIS))
        )
        if self.exact:
            return Placement(State(replicated, replicated, replicated), replicated, fourth)
        return Placement(State(replicated, first, first), first, second)

    def traced_experiment(self, floats: Floats) -> Experiment:
        """Builds a run's experiment from its floats, which may be traced."""
        # Weakly typed like Python numbers, so that they take the dtype of the other operand.
        weak = [jax.lax.convert_element_type(floats[i], float) for i in range(floats.shape[0])]
        return self.build(self.source, **varied_floats(self.combinations).kwargs(weak))

    def traced_game(self, phase: int, floats: Floats) -> Game:
        """Builds a run's game. Raises if the lengths of phases depend on the floats."""
        return schedule_phases(self.traced_experiment(floats))[phase].game

    def over_runs(self, function: Callable) -> Callable:
        """Maps a function of one run over the leading axis of all arguments."""
        if self.exact:
            return lambda *args: jax.lax.map(lambda each: function(*each), args)
        return jax.vmap(function)


def trainable(runs: BatchedRuns) -> Trainable:
    """Returns all runs as one trainable."""
    return Trainable(
        fresh=lambda phase: _fresh(runs, phase),
        chunks=lambda phase, state: _chunks(runs, phase, state),
        scores=lambda phase: _experiment_scores(runs, phase),
        evaluate=lambda phase: _evaluation_scores(runs, phase),
    )


def logged(runs: BatchedRuns) -> list[str]:
    """Returns the names of logged metrics by tracing every phase, which also reveals any error in a game."""
    names: dict[str, None] = {}
    for phase in range(len(runs.plan)):
        state = jax.eval_shape(lambda phase=phase: _fresh(runs, phase))

        def play(state: State, floats: Floats, phase: int = phase) -> Metrics:
            game = runs.traced_game(phase, floats)
            batch = abstract_batch(game, runs.data, runs.flags(phase))
            return make_step(game)(state, jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), batch))[1]

        metrics = jax.eval_shape(jax.vmap(play, in_axes=(SEEDS, 0)), state, runs.floats)
        scores = jax.eval_shape(_experiment_scores(runs, phase), state)
        names |= dict.fromkeys((*sorted(metrics), *scores))
    return [*names, *ranked_scores(runs.experiment.common)]


def _fresh(runs: BatchedRuns, phase: int) -> State:
    """Initializes every run as a single run, by one compiled program, and stacks the states."""

    def init_run(key: Key[Array, ""], floats: Floats) -> State:
        game = runs.traced_game(phase, floats)
        return init(game, key, abstract_batch(game, runs.data, runs.flags(phase)))

    make = jax.jit(init_run)
    states = [make(*each) for each in zip(runs.keys, runs.floats, strict=True)]
    keys, players = jax.tree.map(lambda *leaves: jnp.stack(leaves), *((state.key, state.players) for state in states))
    return jax.device_put(State(states[0].step, keys, players), runs.placement.state)


def _chunks(runs: BatchedRuns, phase: int, state: State) -> Iterator[tuple[int, State, RunMetrics]]:
    """Plays the rest of a phase; yields the step, the state and the metrics of each chunk of steps."""
    common, stage, placement = runs.flags(phase), runs.plan[phase], runs.placement
    # All runs share one copy of the data, whose order the seed decides, and one of the frozen networks.
    pipeline = device_resident(runs.data, common.seed, slice_count(stage.game), common.batch_size)
    shared = jax.device_put((pipeline.arrays, frozen_variables(stage.game)), NamedSharding(runs.mesh, P()))
    state, floats = jax.device_put((state, runs.floats), (placement.state, placement.runs))

    def play(state: State, floats: Floats, shared: Any, inputs: Any, n: Int[Array, ""]) -> tuple[State, Metrics]:
        chunk, (arrays, frozen) = over_steps(make_step(runs.traced_game(phase, floats)), pipeline.load), shared
        state, sums = chunk(state, arrays, inputs, n, None, frozen)
        return state, mean(sums)

    play_all = _play_in_turn(play) if runs.exact else jax.vmap(play, (SEEDS, 0, None, 1, None), (SEEDS, 0))
    options, out = compiler_options(state), (placement.state, placement.runs)
    chunk = jax.jit(play_all, donate_argnums=0, out_shardings=out, compiler_options=options)

    def dispatch(state: State, inputs: Any, n: Int[Array, ""], _: None) -> tuple[State, RunMetrics]:
        return chunk(state, floats, shared, inputs, n)

    yield from run_chunks(dispatch, state, stage, common, _draws(runs, phase), placement.inputs)


def _play_in_turn(play: Callable) -> Callable:
    """Maps `play` over runs with `lax.map`, which computes each run as a single one."""

    def play_all(
        state: State, floats: Float[Array, "R K"], shared: Any, inputs: Any, n: Int[Array, ""]
    ) -> tuple[State, RunMetrics]:
        def one(each: tuple) -> tuple[State, Metrics]:
            key, players, floats, inputs = each
            return play(State(state.step, key, players), floats, shared, inputs, n)

        by_run = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 1, 0), inputs)
        played, metrics = jax.lax.map(one, (state.key, state.players, floats, by_run))
        return played._replace(step=played.step[0]), metrics

    return play_all


def _draws(runs: BatchedRuns, phase: int) -> Callable[[Iterable[range]], Iterator[Inputs]]:
    """Returns a stream of the draws of each run's examples, `[n, R, turn, B, ...]`, for ranges of steps."""

    def stream(ranges: Iterable[range]) -> Iterator[Inputs]:
        size, data, turns = runs.flags(phase).batch_size, runs.data, slice_count(runs.plan[phase].game)
        for steps in ranges:
            of_seeds = [draws(data, seed, steps, turns, size) for seed in runs.seeds]
            yield jax.tree.map(lambda *each: np.stack(len(runs.combinations) * each, axis=1), *of_seeds)

    return stream


def _experiment_scores(runs: BatchedRuns, phase: int) -> Callable[[State], RunMetrics]:
    """Returns `scores(state)`: the experiment's own scores of every run; empty without an evaluation."""
    data, samples = runs.data, runs.experiment.evaluation.samples if runs.experiment.evaluation else 0
    if not samples:
        return lambda state: {}

    def of_run(players: Any, key: Key[Array, ""], floats: Floats) -> Metrics:
        experiment = runs.traced_experiment(floats)
        game = experiment.phases[phase].game
        return experiment.evaluation.scores(bind(game, players), scored_latents(game, key, samples, data))

    scores, keys, floats = jax.jit(runs.over_runs(of_run)), runs.keys, runs.floats
    return lambda state: scores(state.players, keys, floats)


def _evaluation_scores(runs: BatchedRuns, phase: int) -> Callable[[State], dict[str, list[float]]]:
    """Returns `scores(state)` of `--evaluate`, run after run: one feature network occupies the device."""
    common = runs.experiment.common
    if not common.evaluate:
        return lambda state: {}
    games = [schedule_phases(runs.build(runs.source, **c.kwargs))[phase].game for c in runs.combinations]
    scorer = Evaluator(common, runs.data, games[0]).scorer
    scorers = [score for score in map(scorer, games) for _ in runs.seeds]

    def scores(state: State) -> dict[str, list[float]]:
        found = [score(run_state(state, i)) for i, score in enumerate(scorers)]
        return {name: [each[name] for each in found] for name in found[0]}

    return scores


def run_state(state: State, index: int) -> State:
    """Extracts the state of one run."""
    key, players = jax.tree.map(lambda leaf: leaf[index], (state.key, state.players))
    return State(state.step, key, players)
