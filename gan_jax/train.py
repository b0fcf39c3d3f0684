"""The one impure loop: plays an experiment's phases in chunks of steps, and keeps a run folder of it.

A batch is a function of (seed, step) and everything else is in `State`, so going on from a checkpoint is the same
computation as never having stopped.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from gan_jax.checkpoint import Checkpoints
from gan_jax.data import Source, device_resident, tf_data
from gan_jax.errors import BadInput
from gan_jax.experiment import Common, Experiment, Stage, stages
from gan_jax.game import Game, Latents, Metrics, State
from gan_jax.journal import Journal
from gan_jax.parallel import BATCH_AXIS, check_shares, make_mesh, over_steps
from gan_jax.run_folder import RunFolder
from gan_jax.sample import latents, sampler
from gan_jax.step import init, make_step

PIPELINES = {"device": device_resident, "tf": tf_data}


def train(
    experiment: Experiment, source: Source, folder: RunFolder, stop: Callable[[], bool] = lambda: False
) -> State | None:
    """Plays every phase, from the last checkpoint in `folder` if there is one.

    Args:
        experiment: what to play.
        source: the real images.
        folder: where everything is written; claimed by the caller.
        stop: asked after every chunk; once it says yes, the state is saved and the run ends.

    Returns:
        The state it ends in; None where the run is longer than this already.

    Raises:
        BadInput: as `check`, or where the checkpoint is damaged or of other settings.
    """
    check(experiment, source)
    common, plan, mesh = experiment.common, stages(experiment), make_mesh()
    best = (lambda metrics: metrics[common.best]) if common.best else None
    state = None
    with Checkpoints(folder.checkpoints, common.keep, best) as checkpoints:
        resumed = checkpoints.latest() or 0
        with Journal(folder, plan[-1].images(plan[-1].steps.stop), resumed) as journal:
            for stage in plan:
                if stage.steps.stop < resumed or stop():
                    continue
                if stage.steps.start < resumed:
                    state = checkpoints.restore(abstract_state(stage.game, source, common, mesh))
                else:
                    fresh = jax.device_put(new_state(stage.game, source, common), NamedSharding(mesh, P()))
                    state = fresh if state is None else carry_over(state, fresh)
                draw, shown = sampler(stage.game), grid_latents(experiment, stage.game)
                for step, state, metrics in chunks(stage, state, common, source, mesh):  # noqa: B020
                    last = step == stage.steps.stop or stop()
                    journal.flush()  # the chunk before, while the device plays this one
                    journal.note(step, stage.images(step), metrics)
                    if last or step % common.sample_every == 0:
                        journal.picture(step, stage.images(step), draw(state, shown), *experiment.grid)
                    if last or step % common.checkpoint_every == 0:
                        checkpoints.save(state, journal.flush())
                    if last:
                        journal.curves()
                        break
    return state


def chunks(
    stage: Stage, state: State, common: Common, source: Source, mesh: Mesh
) -> Iterator[tuple[int, State, Metrics]]:
    """Plays what is left of a phase, many steps in one dispatch; yields the step reached, the state, and mean metrics.

    A state is overwritten when the next one is asked for.
    """
    everywhere, shared = NamedSharding(mesh, P()), NamedSharding(mesh, P(None, None, BATCH_AXIS))
    shard = (jax.process_index(), jax.process_count())
    pipeline = PIPELINES[common.pipeline](source, common.seed, len(stage.game.turns), common.batch_size, shard)

    def dealt(leaf: np.ndarray) -> jax.Array:
        # Inputs of `log_every` steps, however many are played: a chunk of any length is the same program.
        padding = [(0, common.log_every - len(leaf))] + [(0, 0)] * (leaf.ndim - 1)
        return jax.make_array_from_process_local_data(shared, np.pad(leaf, padding))

    chunk = jax.jit(over_steps(make_step(stage.game), pipeline.load), donate_argnums=0, out_shardings=everywhere)
    arrays = jax.device_put(pipeline.arrays, everywhere)
    left = range(int(state.step), stage.steps.stop)
    cuts = cut(left, common.log_every, common.sample_every, common.checkpoint_every)
    for steps, inputs in zip(cuts, pipeline.stream(cuts), strict=True):
        state, metrics = chunk(state, arrays, jax.tree.map(dealt, inputs), jnp.int32(len(steps)))
        yield steps.stop, state, metrics


def cut(steps: range, *periods: int) -> list[range]:
    """`steps`, cut at every multiple of every period."""
    inner = {mark for period in periods for mark in range(0, steps.stop, period) if mark > steps.start}
    marks = sorted({steps.start, steps.stop} | inner)
    return [range(a, b) for a, b in pairwise(marks)]


def new_state(game: Game, source: Source, common: Common) -> State:
    """The state before the first step of a game on this data, from the experiment's seed."""
    return init(game, jax.random.key(common.seed), abstract_batch(game, source, common))


def grid_latents(experiment: Experiment, game: Game) -> Latents:
    """The latents of the sample grids: the same in all of a run, and those that `gan-jax sample` draws by default."""
    rows, cols = experiment.grid
    return latents(game, jax.random.key(experiment.common.seed), rows * cols)


def abstract_batch(game: Game, source: Source, common: Common) -> dict[str, jax.ShapeDtypeStruct]:
    """Shapes and dtypes of one step's batch, `[turn, B, ...]`."""
    shape = (len(game.turns), common.batch_size)
    batch = {"x": jax.ShapeDtypeStruct((*shape, *source.shape), jnp.float32)}
    return batch | ({"y": jax.ShapeDtypeStruct(shape, jnp.int32)} if source.classes else {})


def abstract_state(game: Game, source: Source, common: Common, mesh: Mesh) -> State:
    """Shapes, dtypes and placement of `new_state`, without its arrays: what a checkpoint is restored into."""
    shapes = jax.eval_shape(lambda: new_state(game, source, common))
    everywhere = NamedSharding(mesh, P())
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=everywhere), shapes)


def carry_over(before: State, fresh: State) -> State:
    """The state of a new phase: `fresh`, with every leaf of `before` that has the same path, shape and dtype."""
    kept = {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(before)}

    def choose(path: tuple, leaf: jax.Array) -> jax.Array:
        old = kept.get(jax.tree_util.keystr(path), leaf)
        return old if (old.shape, old.dtype) == (leaf.shape, leaf.dtype) else leaf

    return jax.tree_util.tree_map_with_path(choose, fresh)


def check(experiment: Experiment, source: Source) -> None:
    """Raises `BadInput` where the devices cannot share the batch, or `--best` names a metric that is not logged."""
    common = experiment.common
    check_shares(common.batch_size, len(jax.devices()))
    for phase in experiment.phases if common.best else ():
        state = abstract_state(phase.game, source, common, make_mesh())
        metrics = jax.eval_shape(make_step(phase.game), state, abstract_batch(phase.game, source, common))[1]
        if common.best not in metrics:
            raise BadInput(f"--best {common.best} is not logged: choose one of {', '.join(sorted(metrics))}")
