"""How phases are played, chunk by chunk and from wherever it stopped: by a single run, or by many as one program."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Int

from gan_jax.config.experiment import RunConfig, ScheduledPhase
from gan_jax.data.on_device import Inputs
from gan_jax.engine.game import Metrics, State
from gan_jax.runs.checkpoint import Checkpoints


class Runner(NamedTuple):
    """Who plays the phases: a single run, or many as one program."""

    fresh: Callable[[int], State]
    """`fresh(phase)`: the state before that phase, were it the first."""
    chunks: Callable[[int, State], Iterator[tuple[int, State, Metrics]]]
    """Plays what is left of a phase; yields the step reached, the state, and mean metrics of a chunk of steps."""
    judge: Callable[[int], Callable[[State], Metrics]]
    """`judge(phase)(state) -> scores`, at every sample grid."""
    assess: Callable[[int], Callable[[State], Mapping[str, Any]]]
    """`assess(phase)(state) -> scores`, at every evaluation; takes as long as it takes."""


class Progress(NamedTuple):
    """Where a runner is after a chunk of steps."""

    phase: int
    step: int
    state: State
    """Overwritten when the next chunk is asked for."""
    metrics: Metrics
    """Means over the chunk and, at sample grids and the end of a phase, the experiment's own scores."""
    assess: Callable[[], Mapping[str, Any]]
    """Scores by `--evaluate`, where they are due; takes as long as it takes."""
    shown: bool
    """Whether a sample grid is due."""
    saved: bool
    """Whether a checkpoint is due."""


def resume(
    runner: Runner, plan: Sequence[ScheduledPhase], checkpoints: Checkpoints, mesh: Mesh
) -> tuple[int, State | None]:
    """The step of the last checkpoint, 0 where there is none, and its state; None where the plan ends before it.

    A damaged one is set aside, with a warning, and the one before is the last.
    """
    for aside in checkpoints.set_damaged_aside():
        print(f"the checkpoint of step {aside.name} is damaged, and has been moved to {aside}", file=sys.stderr)
    resumed = checkpoints.latest() or 0
    for phase, stage in enumerate(plan):
        if stage.steps.start < resumed <= stage.steps.stop:
            return resumed, checkpoints.restore(abstract(partial(runner.fresh, phase), mesh))
    return resumed, None


def play(
    runner: Runner,
    plan: Sequence[ScheduledPhase],
    common: RunConfig,
    resumed: int,
    state: State | None,
    stop: Callable[[], bool],
) -> Iterator[Progress]:
    """Plays what is left of every phase after step `resumed`, in which the runner was in `state`."""
    for phase, stage in enumerate(plan):
        if stage.steps.stop <= resumed or stop():
            continue
        if resumed <= stage.steps.start:
            fresh = runner.fresh(phase)
            state = fresh if state is None else carry_over(state, fresh)
        judge, assess = runner.judge(phase), runner.assess(phase)
        for step, state, metrics in runner.chunks(phase, state):  # noqa: B020
            ends = step == stage.steps.stop
            stops = ends or stop()
            judged = ends or step % common.sample_every == 0  # not where it stops: what is recorded is the same then
            scores = judge(state) if judged else {}
            assessed = common.evaluate and (ends or step % stage.between_evaluations(common) == 0)
            best_may_be_here = bool(assessed and common.best)
            saved = stops or best_may_be_here or step % common.checkpoint_every == 0
            due = partial(assess, state) if assessed else dict
            yield Progress(phase, step, state, metrics | scores, due, judged or stops, saved)
            if stops:
                break


def carry_over(before: State, fresh: State) -> State:
    """The state of a new phase: `fresh`, with what `before` has of the same path, shape and dtype.

    An optimizer is kept whole or not at all: moments that start at 0 beside a count that does not would make the first
    updates of new parameters many times too large.
    """
    kept = {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(before)}

    def choose(path: tuple, leaf: jax.Array) -> jax.Array:
        old = kept.get(jax.tree_util.keystr(path), leaf)
        return old if (old.shape, old.dtype) == (leaf.shape, leaf.dtype) else leaf

    state = jax.tree_util.tree_map_with_path(choose, fresh)
    for name, player in fresh.players.items():
        shapes = [jax.tree.map(jnp.shape, s.players[name].params) for s in (before, fresh) if name in s.players]
        if shapes[0] != shapes[-1]:
            state.players[name] = state.players[name]._replace(opt=player.opt)
    return state


def run_chunks(
    dispatch: Callable[[State, Inputs, Int[Array, ""]], tuple[State, Metrics]],
    state: State,
    stage: ScheduledPhase,
    common: RunConfig,
    stream: Callable[[Iterable[range]], Iterator[Inputs]],
    sharding: NamedSharding,
) -> Iterator[tuple[int, State, Metrics]]:
    """Deals the inputs of what is left of a phase to `dispatch(state, inputs, n)`, chunk by chunk.

    The host makes the inputs of a chunk while the device plays the one before.
    """
    periods = stage.periods(common)

    def dealt(leaf: np.ndarray) -> jax.Array:
        # Inputs of the longest chunk, however many steps are played: a chunk of any length is the same program.
        padding = [(0, min(periods) - len(leaf))] + [(0, 0)] * (leaf.ndim - 1)
        return jax.device_put(np.pad(leaf, padding), sharding)

    left = range(int(state.step), stage.steps.stop)
    for steps, inputs in zip(cut(left, *periods), stream(cut(left, *periods)), strict=True):
        state, metrics = dispatch(state, jax.tree.map(dealt, inputs), jnp.int32(len(steps)))
        yield steps.stop, state, metrics


def cut(steps: range, *periods: int) -> Iterator[range]:
    """`steps`, cut at every multiple of every period."""
    start = steps.start
    while start < steps.stop:
        end = min(steps.stop, *((start // period + 1) * period for period in periods))
        yield range(start, end)
        start = end


def abstract(make: Callable[[], State], mesh: Mesh) -> State:
    """Shapes, dtypes and placement of the state that `make` makes, without its arrays: what is restored into."""
    everywhere = NamedSharding(mesh, P())
    return jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=everywhere), jax.eval_shape(make)
    )
