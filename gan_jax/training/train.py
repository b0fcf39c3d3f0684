"""Trains an experiment into a run folder.

A batch is a function of (seed, step) and everything else is in `State`, so a resumed run computes the same as an
uninterrupted one.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Int, Key

from gan_jax.config.experiment import Experiment, Phase, RunConfig, ScheduledPhase, schedule_phases
from gan_jax.data import Source, device_resident, tf_data
from gan_jax.data.modality import main_leaf
from gan_jax.data.on_device import Inputs
from gan_jax.data.source import describe_source
from gan_jax.engine.game import Game, Metrics, State, slice_count
from gan_jax.engine.parallel import BATCH_AXIS, check_shares, make_mesh
from gan_jax.engine.step import frozen_variables, init
from gan_jax.errors import BadInput
from gan_jax.evaluation.evaluator import Evaluator, ranked_scores
from gan_jax.evaluation.inputs import SCORED
from gan_jax.monitoring.diversity import diversity_ratio
from gan_jax.monitoring.finite import NonFinite, check_parameters
from gan_jax.runs.checkpoint import Checkpoints, Cost
from gan_jax.runs.run_dir import RunDir
from gan_jax.sampling.preview import experiment_scores, merge_scores, preview_picture
from gan_jax.sampling.sampler import Draw, generate, sampler
from gan_jax.training.chunk import Sums, mean, no_steps, over_steps
from gan_jax.training.compiler import compiler_options
from gan_jax.training.logger import RunLogger
from gan_jax.training.loop import Summing, Trainable, abstract, play, replicated, resume, run_chunks
from gan_jax.training.progress import ProgressBar, say

PIPELINES = {"device": device_resident, "tf": tf_data}


def train(
    experiment: Experiment, source: Source, folder: RunDir, stop: Callable[[], bool] = lambda: False
) -> State | None:
    """Plays every phase, resuming from the last checkpoint in `folder`.

    Args:
        experiment: the phases and flags.
        source: the real examples.
        folder: the run folder, claimed by the caller.
        stop: called after every chunk; once it returns true, the state is saved and training ends.

    Returns:
        The last state; None if the run has already been trained for longer.

    Raises:
        BadInput: as `check`, or the checkpoint is damaged or from other settings.
        NonFinite: a loss, a gradient or the parameters are not finite, and `rollbacks` rollbacks have been made.
    """
    source = experiment.played_on(source)
    check(experiment, source)
    while True:
        try:
            return _train_while_finite(experiment, source, folder, stop)
        except NonFinite as error:
            if len(folder.read_rollbacks()) >= experiment.common.rollbacks:
                raise
            to = Checkpoints(folder.checkpoints).latest() or 0
            folder.append_rollback(error.step, to, error.moves)
            say(f"{error.what}; continuing from step {to:,} with other random numbers")


def announce(source: Source, folder: RunDir, common: RunConfig) -> None:
    """Says which data was read and, where they are not those of the run's length, what the schedules are made for."""
    say(f"data        {describe_source(source)}")
    if schedules := folder.describe_schedules(common):
        say(f"schedules   {schedules}")


def _train_while_finite(
    experiment: Experiment, source: Source, folder: RunDir, stop: Callable[[], bool]
) -> State | None:
    """Trains until the end, `stop()`, or the first `NonFinite`."""
    common, plan, mesh = experiment.common, schedule_phases(experiment), make_mesh()
    samplers = [sampler(stage.game) for stage in plan]
    previews = [
        preview_picture(experiment, stage.game, source, draw) for stage, draw in zip(plan, samplers, strict=True)
    ]
    with (
        Checkpoints(folder.checkpoints, common.keep, best_cost(experiment)) as checkpoints,
        ProgressBar(plan[-1].images(plan[-1].steps.stop)) as bar,
    ):
        run = single(experiment, source, mesh, samplers, bar.show)
        resumed, state = resume(run, plan, checkpoints, mesh)
        state = _reseed(state, resumed, run, folder)
        with RunLogger(folder, bar, resumed) as logger:
            for progress in play(run, plan, common, resumed, state, stop):
                state, step, stage = progress.state, progress.step, plan[progress.phase]
                images = stage.images(step)
                logger.flush()  # the chunk before, while the device plays this one
                with bar.doing("evaluating"):
                    logger.add(step, images, progress.metrics | progress.evaluate())
                if progress.preview_due:
                    with bar.doing("drawing samples"):
                        logger.save_preview(step, images, previews[progress.phase](state))
                if progress.checkpoint_due:
                    numbers = logger.flush()  # raises first, with the step
                    check_parameters(state)
                    folder.append_digest(step, images, checkpoints.save(state, numbers))
                if step == stage.steps.stop:
                    bar.begin("compiling the next phase")
            logger.summarize()
    return state


def _reseed(state: State | None, resumed: int, run: Trainable, folder: RunDir) -> State | None:
    """Folds the number of rollbacks into the key of the state that the last rollback restored."""
    targets = [rollback["to"] for rollback in folder.read_rollbacks() if rollback["to"] <= resumed]
    if not targets or targets[-1] != resumed:
        return state
    state = state or run.fresh(0)
    return state._replace(key=jax.random.fold_in(state.key, len(targets)))


def single(
    experiment: Experiment,
    source: Source,
    mesh: Mesh,
    samplers: Sequence[Draw],
    glimpse: Callable[[int, dict[str, float]], None],
) -> Trainable:
    """Makes one run trainable, its batch sharded over the mesh.

    `samplers` draw from the game of each phase; `glimpse` takes images and metrics of the first step of each.
    """
    common, plan = experiment.common, schedule_phases(experiment)
    evaluator = Evaluator(common, source, plan[0].game).scorer if common.evaluate else lambda game: lambda state: {}
    return Trainable(
        fresh=lambda phase: new_state(plan[phase].game, source, plan[phase].phase.flags(common)),
        chunks=lambda phase, state: chunks(plan[phase], state, common, source, mesh, glimpse),
        scores=lambda phase: merge_scores(
            experiment_scores(experiment, plan[phase].game, source),
            diversity_ratio(plan[phase].game, source, common.seed, samplers[phase]),
        ),
        evaluate=lambda phase: evaluator(plan[phase].game),
    )


def chunks(
    stage: ScheduledPhase,
    state: State,
    common: RunConfig,
    source: Source,
    mesh: Mesh,
    glimpse: Callable[[int, dict[str, float]], None] = lambda images, metrics: None,
) -> Iterator[tuple[int, State, Metrics]]:
    """Plays the rest of a phase; yields the step reached, the state, and metrics averaged over a chunk."""
    common = stage.phase.flags(common)
    everywhere, shared = NamedSharding(mesh, P()), NamedSharding(mesh, P(None, None, BATCH_AXIS))
    state = jax.device_put(state, everywhere)  # as a part returns it: one placed otherwise is another program
    pipeline = PIPELINES[common.pipeline](source, common.seed, slice_count(stage.game), common.batch_size)
    part = jax.jit(
        over_steps(stage.phase.step, pipeline.load),
        donate_argnums=0,
        out_shardings=everywhere,
        compiler_options=compiler_options(state),
    )
    arrays, frozen = jax.device_put((pipeline.arrays, frozen_variables(stage.game)), everywhere)
    batch = replicated(abstract_batch(stage.game, source, common), mesh)
    shapes = jax.eval_shape(stage.phase.step, state, batch, frozen)[1]

    def show(step: int, metrics: Metrics) -> None:
        glimpse(stage.images(step), {name: float(value) for name, value in jax.device_get(metrics).items()})

    summing = Summing(jax.device_put(no_steps(shapes), everywhere), jax.jit(mean), show)

    def dispatch(state: State, inputs: Inputs, n: Int[Array, ""], sums: Sums) -> tuple[State, Sums]:
        return part(state, arrays, inputs, n, sums, frozen)

    yield from run_chunks(dispatch, state, stage, common, pipeline.stream, shared, summing, pipeline.step_bytes)


def new_state(game: Game, source: Source, common: RunConfig) -> State:
    """Initializes the state of a game from the experiment's seed."""
    return _initializer(game, abstract_batch(game, source, common))(jax.random.key(common.seed))


_INITIALIZERS: deque[tuple[Game, dict[str, jax.ShapeDtypeStruct], Callable[[Key[Array, ""]], State]]] = deque(maxlen=8)


def _initializer(game: Game, batch: dict[str, jax.ShapeDtypeStruct]) -> Callable[[Key[Array, ""]], State]:
    """Jits `init` of a game, which is then traced once for the checks of a run and for its first state."""
    for known, shapes, make in _INITIALIZERS:
        if known is game and shapes == batch:
            return make
    make = jax.jit(partial(init, game, batch=batch))
    _INITIALIZERS.append((game, batch, make))
    return make


def best_cost(experiment: Experiment) -> Cost | None:
    """Returns the cost by which `--best` ranks checkpoints, lower is better; None without `--best`."""
    best = experiment.common.best
    if not best:
        return None
    sign = -1 if best in higher(experiment) else 1
    return lambda metrics: sign * metrics[best]


def higher(experiment: Experiment) -> frozenset[str]:
    """Returns the names of the scores where higher is better."""
    own = experiment.evaluation.higher if experiment.evaluation else frozenset()
    return own | {name for name, way in ranked_scores(experiment.common).items() if way == "higher"}


def abstract_batch(game: Game, source: Source, common: RunConfig) -> dict[str, jax.ShapeDtypeStruct]:
    """Returns shapes and dtypes of the batch of one step, `[slice, B, ...]`."""
    return {name: leaf.abstract(slice_count(game), common.batch_size) for name, leaf in source.spec.items()}


def abstract_state(game: Game, source: Source, common: RunConfig, mesh: Mesh) -> State:
    """Returns shapes, dtypes and placement of `new_state`: a target to restore into."""
    return abstract(lambda: new_state(game, source, common), mesh)


def check(experiment: Experiment, source: Source, devices: int | None = None) -> None:
    """Checks that an experiment can be trained, before anything is compiled.

    Raises:
        BadInput: `devices` (by default all) cannot share the batch, a game does not fit the data, or `--best` is not
            logged.
    """
    common, source = experiment.common, experiment.played_on(source)
    if jax.process_count() > 1:
        raise BadInput("a run is trained by one process: start it without jax.distributed")
    if common.evaluate and main_leaf(source.spec).modality.name not in SCORED:
        raise BadInput(f"--evaluate is for images, videos and sounds, not for {describe_source(source)}: leave it out")
    for phase in experiment.phases:
        check_shares(phase.flags(common).batch_size, devices or len(jax.devices()))
        check_fit(phase.game, source, phase.flags(common))
        frozen_variables(phase.game)
    for names in logged(experiment, source) if common.best else ():
        names = [*names, *ranked_scores(common)]
        if common.best not in names:
            raise BadInput(f"--best {common.best} is not logged: choose one of {', '.join(names)}")


def check_fit(game: Game, source: Source, common: RunConfig) -> None:
    """Raises `BadInput` if a game needs other labels or conditions than the data has, or generates another shape."""
    if missing := [name for name in game.conditions if name not in source.spec]:
        what = f"this game makes examples of inputs, and {source.name} has no {missing[0]!r}"
        raise BadInput(f"{what}: give pairs (--pair INPUT,TARGET) or two data sets (--to), as the experiment says")
    label = game.codes.get("y")
    if label and len(source.classes) != label.classes:
        has = f"{len(source.classes)} classes" if source.classes else "no labels"
        wants = f"this game needs {label.classes}" if label.classes else "this game needs labels"
        raise BadInput(f"{source.name} has {has}, but {wants}: give --data mnist5k, or a folder of class folders")
    players = abstract_state(game, source, common, make_mesh()).players
    batch = {name: leaf.abstract(common.batch_size) for name, leaf in source.spec.items()}
    latents = jax.eval_shape(game.draw, jax.random.split(jax.random.key(0), common.batch_size), batch)
    made = jax.eval_shape(partial(generate, game), players, latents, jnp.int32(0))
    if not isinstance(made, Mapping) and made.shape[1:] != source.shape:
        raise BadInput(f"{source.name} has examples of shape {source.shape}, but this game makes {made.shape[1:]}")


def logged(experiment: Experiment, source: Source) -> list[list[str]]:
    """Returns the names of the metrics of every phase by tracing its step, which also raises any error in a loss."""
    mesh, source = make_mesh(), experiment.played_on(source)

    def names(phase: Phase) -> list[str]:
        common = phase.flags(experiment.common)
        state = abstract_state(phase.game, source, common, mesh)
        batch = replicated(abstract_batch(phase.game, source, common), mesh)  # placed as in `chunks`: one trace
        frozen = jax.eval_shape(lambda: frozen_variables(phase.game))
        return sorted(jax.eval_shape(phase.step, state, batch, replicated(frozen, mesh))[1])

    return [names(phase) for phase in experiment.phases]
