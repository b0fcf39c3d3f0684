"""The resumable training loop, shared by `train` and `sweep`: plays each phase in compiled chunks of steps."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Int, PyTree

from gan_jax.config.experiment import RunConfig, ScheduledPhase
from gan_jax.data.on_device import Inputs
from gan_jax.engine.game import Metrics, State
from gan_jax.runs.checkpoint import Checkpoints
from gan_jax.training.chunk import Sums
from gan_jax.training.progress import say


class Trainable(NamedTuple):
    """The interface of one run, or of many vmapped runs, to the loop."""

    fresh: Callable[[int], State]
    """`fresh(phase)`: the initial state of a phase."""
    chunks: Callable[[int, State], Iterator[tuple[int, State, Metrics]]]
    """Plays the rest of a phase; yields the step reached, the state, and metrics averaged over a chunk of steps."""
    scores: Callable[[int], Callable[[State], Metrics]]
    """`scores(phase)(state)`: the cheap scores, computed at every preview."""
    evaluate: Callable[[int], Callable[[State], Mapping[str, Any]]]
    """`evaluate(phase)(state)`: the expensive metrics of `--evaluate`."""


class Summing(NamedTuple):
    """How the parts of a chunk add up to its metrics."""

    first: Sums
    """The sums before the first part."""
    mean: Callable[[Sums], Metrics]
    glimpse: Callable[[int, Metrics], None]
    """Takes the step and metrics of the first step, a part of its own: nobody waits for a chunk to see numbers."""


PART_BYTES = 2**25
"""Largest size of the inputs that are dispatched at once, unless those of one step are larger."""


class Progress(NamedTuple):
    """The result of a chunk of steps, and the actions that are due after it."""

    phase: int
    step: int
    state: State
    """Its buffers are donated to the next chunk."""
    metrics: Metrics
    """Averages over the chunk."""
    evaluate: Callable[[], Mapping[str, Any]]
    """Computes what is due: the scores of a preview, the metrics of `--evaluate`, or nothing."""
    preview_due: bool
    checkpoint_due: bool


def resume(
    trainable: Trainable, plan: Sequence[ScheduledPhase], checkpoints: Checkpoints, mesh: Mesh
) -> tuple[int, State | None]:
    """Restores the last sound checkpoint: its step and state; 0 and None without one.

    Damaged checkpoints are moved aside with a warning. The state is also None if the plan ends before the step.
    """
    for aside in checkpoints.set_damaged_aside():
        say(f"the checkpoint of step {aside.name} is damaged, and has been moved to {aside}")
    resumed = checkpoints.latest() or 0
    for phase, stage in enumerate(plan):
        if stage.steps.start < resumed <= stage.steps.stop:
            return resumed, checkpoints.restore(abstract(partial(trainable.fresh, phase), mesh))
    return resumed, None


def play(
    trainable: Trainable,
    plan: Sequence[ScheduledPhase],
    common: RunConfig,
    resumed: int,
    state: State | None,
    stop: Callable[[], bool],
) -> Iterator[Progress]:
    """Plays the rest of every phase from `state`, that of step `resumed`, until the end or until `stop()`."""
    for phase, stage in enumerate(plan):
        if stage.steps.stop <= resumed or stop():
            continue
        if resumed <= stage.steps.start:
            fresh = trainable.fresh(phase)
            state = fresh if state is None else carry_over(state, fresh)
        for progress in _play_phase(trainable, phase, stage, common, state, stop):
            state = progress.state
            yield progress


def _play_phase(
    trainable: Trainable,
    phase: int,
    stage: ScheduledPhase,
    common: RunConfig,
    state: State,
    stop: Callable[[], bool],
) -> Iterator[Progress]:
    """Plays the rest of one phase."""
    scores, evaluate = trainable.scores(phase), trainable.evaluate(phase)

    def due(scored: bool, evaluated: bool, reached: State) -> Mapping[str, Any]:
        return {**(scores(reached) if scored else {}), **(evaluate(reached) if evaluated else {})}

    for step, reached, metrics in trainable.chunks(phase, state):
        ends = step == stage.steps.stop
        stops = ends or stop()
        scored = ends or step % common.sample_every == 0  # not at a stop: records must not depend on it
        evaluated = bool(common.evaluate) and (ends or step % stage.between_evaluations(common) == 0)
        yield Progress(
            phase,
            step,
            reached,
            metrics,
            evaluate=partial(due, scored, evaluated, reached),
            preview_due=scored or stops,
            checkpoint_due=bool(
                stops or (evaluated and common.best) or step % common.checkpoint_every == 0 or step in stage.save_at
            ),
        )
        if stops:
            return


def carry_over(before: State, fresh: State) -> State:
    """Copies into `fresh` every leaf of `before` with the same path, shape and dtype.

    The state of an optimizer is copied only if all of its player's parameters keep their shapes: moments that start
    at 0 beside a step count that does not would make the first updates many times too large. A moving average that
    `before` does not have starts at the copied variables, not at the initial ones of `fresh`.
    """
    old = {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(before)}

    def copy(path: tuple, leaf: jax.Array) -> jax.Array:
        same = old.get(jax.tree_util.keystr(path), leaf)
        return same if (same.shape, same.dtype) == (leaf.shape, leaf.dtype) else leaf

    state = jax.tree_util.tree_map_with_path(copy, fresh)
    for name, player in fresh.players.items():
        shapes = [jax.tree.map(jnp.shape, s.players[name].params) for s in (before, fresh) if name in s.players]
        if shapes[0] != shapes[-1]:
            state.players[name] = state.players[name]._replace(opt=player.opt)
        if player.ema is not None and name in before.players and before.players[name].ema is None:
            now = state.players[name]
            state.players[name] = now._replace(ema=jax.tree.map(jnp.copy, {"params": now.params, **now.stats}))
    return state


def run_chunks(
    dispatch: Callable[[State, Inputs, Int[Array, ""], Any], tuple[State, Any]],
    state: State,
    stage: ScheduledPhase,
    common: RunConfig,
    stream: Callable[[Iterable[range]], Iterator[Inputs]],
    sharding: NamedSharding,
    summing: Summing | None = None,
    step_bytes: int = 0,
) -> Iterator[tuple[int, State, Metrics]]:
    """Calls `dispatch(state, inputs, n, sums) -> (state, sums)` on every part of every chunk of the rest of a phase.

    The host prepares the inputs of a part while the device plays the part before. With `summing`, a chunk has as many
    parts as keep the inputs of each below `PART_BYTES`; without it a chunk is one part, `sums` is None, and `dispatch`
    returns metrics.
    """
    periods, begin = stage.periods(common), int(state.step)
    longest = longest_part(stage, common, step_bytes)
    first, finish, glimpse = summing or (None, lambda metrics: metrics, None)

    def place(leaf: np.ndarray) -> jax.Array:
        # Padded to the longest part, so that parts of all lengths run the same compiled program.
        padding = [(0, longest - len(leaf))] + [(0, 0)] * (leaf.ndim - 1)
        return jax.device_put(np.pad(leaf, padding), sharding)

    def chunks() -> Iterator[range]:
        return split_at_multiples(range(begin, stage.steps.stop), *periods, also=stage.save_at)

    def parts(chunk: range) -> Iterator[range]:
        alone = 1 if glimpse and chunk.start == begin else 0
        yield from split_evenly(chunk[:alone], 1)
        yield from split_evenly(chunk[alone:], longest)

    inputs = stream(part for chunk in chunks() for part in parts(chunk))
    for chunk in chunks():
        sums = first
        for part in parts(chunk):
            placed = jax.tree.map(place, next(inputs))
            jax.block_until_ready(sums)  # no more than two parts are in memory
            state, sums = dispatch(state, placed, jnp.int32(len(part)), sums)
            if glimpse and part.start == begin:
                glimpse(part.stop, finish(sums))
        yield chunk.stop, state, finish(sums)


def longest_part(stage: ScheduledPhase, common: RunConfig, step_bytes: int = 0) -> int:
    """Returns the number of steps of the longest part of a chunk; no longer than the phase, whatever the periods."""
    return min(*stage.periods(common), len(stage.steps), max(1, PART_BYTES // max(1, step_bytes)))


def split_evenly(steps: range, longest: int) -> Iterator[range]:
    """Splits `steps` into ranges of `longest` steps and a rest."""
    return (range(start, min(start + longest, steps.stop)) for start in range(steps.start, steps.stop, longest))


def split_at_multiples(steps: range, *periods: int, also: Collection[int] = ()) -> Iterator[range]:
    """Splits `steps` at every multiple of every period, and at the steps in `also`."""
    start = steps.start
    while start < steps.stop:
        multiples = ((start // period + 1) * period for period in periods)
        end = min(steps.stop, *multiples, *(step for step in also if step > start))
        yield range(start, end)
        start = end


def abstract(make: Callable[[], State], mesh: Mesh) -> State:
    """Returns shapes, dtypes and placement of the state that `make` returns: a target to restore into."""
    return replicated(jax.eval_shape(make), mesh)


def replicated(shapes: PyTree[jax.ShapeDtypeStruct], mesh: Mesh) -> PyTree[jax.ShapeDtypeStruct]:
    """Places shapes and dtypes on every device of the mesh."""
    everywhere = NamedSharding(mesh, P())
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=everywhere), shapes)
