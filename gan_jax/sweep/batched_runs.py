"""Many runs as one program: every lane is a run, with numbers, a seed and an order of the data of its own.

By default the lanes are a `vmap` and a lane is close to a single run. With `exact` they are a `lax.map`, one after the
other, and a lane is a single run to the bit. Side by side, every device of the mesh plays some of the lanes; with
`exact` all devices share the batch, as those of a single run do.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Float, Int, Int32, Key

from gan_jax.config.experiment import Experiment, ScheduledPhase, schedule_phases
from gan_jax.data import Source, device_resident, shuffle
from gan_jax.engine.game import Game, Metrics, State
from gan_jax.engine.networks import bind
from gan_jax.engine.parallel import BATCH_AXIS, SEEDS, over_steps
from gan_jax.engine.step import init, make_step
from gan_jax.evaluation.evaluator import Evaluator, ranked_scores
from gan_jax.sampling.latents import draw_latents
from gan_jax.sweep.grid import Combination, numbers
from gan_jax.training.loop import Trainable, run_chunks
from gan_jax.training.train import abstract_batch


class Placement(NamedTuple):
    """Shardings over the devices."""

    state: State
    """Of a state; `step` has no lanes."""
    lanes: NamedSharding
    """Of what has an axis of lanes in front."""
    inputs: NamedSharding
    """Of inputs `[n, L, turn, B]`."""


Build = Callable[..., Experiment]
Numbers = Float[Array, " K"]

LaneMetrics = dict[str, Float[Array, " L"]]
"""Every metric, of every lane."""


class Lanes(NamedTuple):
    """Alike combinations times seeds, as one program; lane `c * len(seeds) + s` is combination c with seed s."""

    build: Build
    source: Source
    combinations: Sequence[Combination]
    seeds: Sequence[int]
    exact: bool
    mesh: Mesh

    @property
    def experiment(self) -> Experiment:
        """The first combination's."""
        return self.build(self.source, **self.combinations[0].kwargs)

    @property
    def plan(self) -> list[ScheduledPhase]:
        """The phases, the same of all lanes."""
        return schedule_phases(self.experiment)

    @property
    def keys(self) -> Key[Array, " L"]:
        """The key of every lane, as of a single run."""
        return jnp.stack([jax.random.key(seed) for _ in self.combinations for seed in self.seeds])

    @property
    def numbers(self) -> Float[Array, "L K"]:
        """The numbers of every lane."""
        return jnp.repeat(numbers(self.combinations).values, len(self.seeds), axis=0)

    @property
    def placement(self) -> "Placement":
        """Where arrays of all lanes lie: some lanes on every device, or with `exact` some of every batch."""
        everywhere, first, second, fourth = (
            NamedSharding(self.mesh, P(*axes))
            for axes in ((), (BATCH_AXIS,), (None, BATCH_AXIS), (None, None, None, BATCH_AXIS))
        )
        if self.exact:
            return Placement(State(everywhere, everywhere, everywhere), everywhere, fourth)
        return Placement(State(everywhere, first, first), first, second)

    def lane_experiment(self, values: Numbers) -> Experiment:
        """A lane's experiment, made of its numbers while they are traced."""
        # Weakly typed, as a Python number is: it takes the type of what it meets.
        weak = [jax.lax.convert_element_type(values[i], float) for i in range(values.shape[0])]
        return self.build(self.source, **numbers(self.combinations).kwargs(weak))

    def lane_game(self, phase: int, values: Numbers) -> Game:
        """A lane's game; raises where the lengths of the phases depend on the numbers."""
        return schedule_phases(self.lane_experiment(values))[phase].game

    def over_lanes(self, function: Callable) -> Callable:
        """A function of one lane's arguments, over the leading axis of all of them."""
        if self.exact:
            return lambda *args: jax.lax.map(lambda each: function(*each), args)
        return jax.vmap(function)


def runner(lanes: Lanes) -> Trainable:
    """All lanes as one trainable."""
    return Trainable(
        fresh=lambda phase: _fresh(lanes, phase),
        chunks=lambda phase, state: _chunks(lanes, phase, state),
        scores=lambda phase: _scores(lanes, phase),
        evaluate=lambda phase: _evaluate(lanes, phase),
    )


def logged(lanes: Lanes) -> list[str]:
    """The names of what the lanes log, by tracing every phase: whatever is wrong with a game shows here."""
    names: dict[str, None] = {}
    for phase in range(len(lanes.plan)):
        state = jax.eval_shape(lambda phase=phase: _fresh(lanes, phase))

        def play(state: State, values: Numbers, phase: int = phase) -> Metrics:
            game = lanes.lane_game(phase, values)
            batch = abstract_batch(game, lanes.source, lanes.experiment.common)
            return make_step(game)(state, jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), batch))[1]

        metrics = jax.eval_shape(jax.vmap(play, in_axes=(SEEDS, 0)), state, lanes.numbers)
        scores = jax.eval_shape(_scores(lanes, phase), state)
        names |= dict.fromkeys((*sorted(metrics), *scores))
    return [*names, *ranked_scores(lanes.experiment.common)]


def _fresh(lanes: Lanes, phase: int) -> State:
    """Every lane's state as a single run's, by one program for them all."""

    def lane(key: Key[Array, ""], values: Numbers) -> State:
        game = lanes.lane_game(phase, values)
        return init(game, key, abstract_batch(game, lanes.source, lanes.experiment.common))

    make = jax.jit(lane)
    states = [make(*each) for each in zip(lanes.keys, lanes.numbers, strict=True)]
    keys, players = jax.tree.map(lambda *leaves: jnp.stack(leaves), *((state.key, state.players) for state in states))
    return jax.device_put(State(states[0].step, keys, players), lanes.placement.state)


def _chunks(lanes: Lanes, phase: int, state: State) -> Iterator[tuple[int, State, LaneMetrics]]:
    common, stage = lanes.experiment.common, lanes.plan[phase]
    turns, size = len(stage.game.turns), common.batch_size
    # The arrays are there once, whatever number of lanes read them; a seed decides only the order.
    pipeline = device_resident(lanes.source, common.seed, turns, size)
    placement = lanes.placement
    arrays = jax.device_put(pipeline.arrays, NamedSharding(lanes.mesh, P()))
    state, values = jax.device_put((state, lanes.numbers), (placement.state, placement.lanes))

    def play(state: State, values: Numbers, arrays: Any, inputs: Any, n: Int[Array, ""]) -> tuple[State, Metrics]:
        return over_steps(make_step(lanes.lane_game(phase, values)), pipeline.load)(state, arrays, inputs, n)

    def all_lanes(
        state: State, values: Float[Array, "L K"], arrays: Any, inputs: Any, n: Int[Array, ""]
    ) -> tuple[State, LaneMetrics]:
        if not lanes.exact:
            axes = (SEEDS, 0, None, 1, None)
            return jax.vmap(play, axes, (SEEDS, 0))(state, values, arrays, inputs, n)

        def one(each: tuple) -> tuple[State, Metrics]:
            key, players, values, inputs = each
            return play(State(state.step, key, players), values, arrays, inputs, n)

        inputs = jnp.moveaxis(inputs, 1, 0)
        played, metrics = jax.lax.map(one, (state.key, state.players, values, inputs))
        return played._replace(step=played.step[0]), metrics

    chunk = jax.jit(all_lanes, donate_argnums=0, out_shardings=(placement.state, placement.lanes))

    def stream(ranges: Iterable[range]) -> Iterator[Int32[np.ndarray, "n L turn B"]]:
        for steps in ranges:
            dealt = [shuffle.indices(seed, lanes.source.size, steps, turns, size) for seed in lanes.seeds]
            yield np.tile(np.stack(dealt, axis=1), (1, len(lanes.combinations), 1, 1))

    def dispatch(state: State, inputs: Any, n: Int[Array, ""]) -> tuple[State, LaneMetrics]:
        return chunk(state, values, arrays, inputs, n)

    yield from run_chunks(dispatch, state, stage, common, stream, placement.inputs)


def _scores(lanes: Lanes, phase: int) -> Callable[[State], LaneMetrics]:
    samples = lanes.experiment.evaluation.samples if lanes.experiment.evaluation else 0
    if not samples:
        return lambda state: {}

    def lane(players: Any, key: Key[Array, ""], values: Numbers) -> Metrics:
        experiment = lanes.lane_experiment(values)
        game = experiment.phases[phase].game
        return experiment.evaluation.scores(bind(game, players), draw_latents(game, key, samples))

    scores, keys, values = jax.jit(lanes.over_lanes(lane)), lanes.keys, lanes.numbers
    return lambda state: scores(state.players, keys, values)


def _evaluate(lanes: Lanes, phase: int) -> Callable[[State], dict[str, list[float]]]:
    """Evaluates lane after lane, each as a single run is: the networks that look at samples fill the device alone."""
    common = lanes.experiment.common
    if not common.evaluate:
        return lambda state: {}
    of_game = Evaluator(common, lanes.source).scorer
    games = [schedule_phases(lanes.build(lanes.source, **c.kwargs))[phase].game for c in lanes.combinations]
    each = [evaluate for evaluate in map(of_game, games) for _ in lanes.seeds]

    def evaluate(state: State) -> dict[str, list[float]]:
        scores = [one(lane_state(state, lane)) for lane, one in enumerate(each)]
        return {name: [score[name] for score in scores] for name in scores[0]}

    return evaluate


def lane_state(state: State, lane: int) -> State:
    """The state of one lane, as a single run's."""
    key, players = jax.tree.map(lambda leaf: leaf[lane], (state.key, state.players))
    return State(state.step, key, players)
