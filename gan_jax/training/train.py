"""The one impure loop: plays an experiment's phases in chunks of steps, and keeps a run folder of it.

A batch is a function of (seed, step) and everything else is in `State`, so going on from a checkpoint is the same
computation as never having stopped.
"""

import sys
from collections.abc import Callable, Iterator, Sequence

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Int

from gan_jax.config.experiment import Experiment, RunConfig, ScheduledPhase, schedule_phases
from gan_jax.data import Source, device_resident, tf_data
from gan_jax.data.on_device import Inputs
from gan_jax.engine.game import Game, Metrics, State
from gan_jax.engine.networks import bind
from gan_jax.engine.parallel import BATCH_AXIS, check_shares, make_mesh, over_steps
from gan_jax.engine.step import init, make_step
from gan_jax.errors import BadInput
from gan_jax.evaluation.evaluator import Evaluator, ranked_scores
from gan_jax.monitoring.diversity import diversity
from gan_jax.monitoring.finite import NonFinite
from gan_jax.runs.checkpoint import Checkpoints, Cost
from gan_jax.runs.run_dir import RunDir
from gan_jax.sampling.preview import experiment_scores, merge_scores, preview_picture
from gan_jax.sampling.sampler import Draw, sampler
from gan_jax.training.logger import RunLogger
from gan_jax.training.loop import Runner, abstract, play, resume, run_chunks

PIPELINES = {"device": device_resident, "tf": tf_data}


def train(
    experiment: Experiment, source: Source, folder: RunDir, stop: Callable[[], bool] = lambda: False
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
        NonFinite: a move's loss, gradient or update is no longer finite, and the run has gone back `rollbacks` times.
    """
    check(experiment, source)
    while True:
        try:
            return _train_on(experiment, source, folder, stop)
        except NonFinite as broken:
            if len(folder.all_rollbacks()) >= experiment.common.rollbacks:
                raise
            to = Checkpoints(folder.checkpoints).latest() or 0
            folder.rolled_back(broken.step, to, broken.moves)
            print(f"{broken.what}; back to step {to:,}, and on with other random numbers", file=sys.stderr)


def _train_on(experiment: Experiment, source: Source, folder: RunDir, stop: Callable[[], bool]) -> State | None:
    """`train`, up to the first number that is not finite."""
    common, plan, mesh = experiment.common, schedule_phases(experiment), make_mesh()
    samplers = [sampler(stage.game) for stage in plan]
    draws = [preview_picture(experiment, stage.game, draw) for stage, draw in zip(plan, samplers, strict=True)]
    run = single(experiment, source, mesh, samplers)
    with Checkpoints(folder.checkpoints, common.keep, best_cost(experiment)) as checkpoints:
        resumed, state = resume(run, plan, checkpoints, mesh)
        state = _with_other_luck(state, resumed, run, folder)
        with RunLogger(folder, plan[-1].images(plan[-1].steps.stop), resumed) as journal:
            for reached in play(run, plan, common, resumed, state, stop):
                state, step, images = reached.state, reached.step, plan[reached.phase].images(reached.step)
                journal.flush()  # the chunk before, while the device plays this one
                journal.note(step, images, reached.metrics | reached.assess())
                if reached.shown:
                    journal.picture(step, images, draws[reached.phase](state))
                if reached.saved:
                    folder.digested(step, images, checkpoints.save(state, journal.flush()))
            journal.summarise()
    return state


def _with_other_luck(state: State | None, resumed: int, run: Runner, folder: RunDir) -> State | None:
    """The state that a run goes on from: under a key of its own for every time that it went back to this step."""
    back = [each["to"] for each in folder.all_rollbacks() if each["to"] <= resumed]
    if not back or back[-1] != resumed:
        return state
    state = state or run.fresh(0)
    return state._replace(key=jax.random.fold_in(state.key, len(back)))


def single(experiment: Experiment, source: Source, mesh: Mesh, samplers: Sequence[Draw]) -> Runner:
    """One run, its batch shared by the devices of the mesh; `samplers` draw from the game of each phase."""
    common, plan, everywhere = experiment.common, schedule_phases(experiment), NamedSharding(mesh, P())
    assess = Evaluator(common, source).scorer if common.evaluate else lambda game: lambda state: {}
    return Runner(
        fresh=lambda phase: jax.device_put(new_state(plan[phase].game, source, common), everywhere),
        chunks=lambda phase, state: chunks(plan[phase], state, common, source, mesh),
        judge=lambda phase: merge_scores(
            experiment_scores(experiment, plan[phase].game),
            diversity(plan[phase].game, source, common.seed, samplers[phase]),
        ),
        assess=lambda phase: assess(plan[phase].game),
    )


def chunks(
    stage: ScheduledPhase, state: State, common: RunConfig, source: Source, mesh: Mesh
) -> Iterator[tuple[int, State, Metrics]]:
    """Plays what is left of a phase as one run, many steps in one dispatch."""
    everywhere, shared = NamedSharding(mesh, P()), NamedSharding(mesh, P(None, None, BATCH_AXIS))
    pipeline = PIPELINES[common.pipeline](source, common.seed, len(stage.game.turns), common.batch_size)
    chunk = jax.jit(over_steps(make_step(stage.game), pipeline.load), donate_argnums=0, out_shardings=everywhere)
    arrays = jax.device_put(pipeline.arrays, everywhere)

    def dispatch(state: State, inputs: Inputs, n: Int[Array, ""]) -> tuple[State, Metrics]:
        return chunk(state, arrays, inputs, n)

    yield from run_chunks(dispatch, state, stage, common, pipeline.stream, shared)


def new_state(game: Game, source: Source, common: RunConfig) -> State:
    """The state before the first step of a game on this data, from the experiment's seed."""
    return init(game, jax.random.key(common.seed), abstract_batch(game, source, common))


def best_cost(experiment: Experiment) -> Cost | None:
    """What a checkpoint is judged by, the lower the better; None where `--best` is not given."""
    best = experiment.common.best
    if not best:
        return None
    sign = -1 if best in higher(experiment) else 1
    return lambda metrics: sign * metrics[best]


def higher(experiment: Experiment) -> frozenset[str]:
    """The scores of a run of which more is better."""
    own = experiment.evaluation.higher if experiment.evaluation else frozenset()
    return own | {name for name, way in ranked_scores(experiment.common).items() if way == "higher"}


def abstract_batch(game: Game, source: Source, common: RunConfig) -> dict[str, jax.ShapeDtypeStruct]:
    """Shapes and dtypes of one step's batch, `[turn, B, ...]`."""
    shape = (len(game.turns), common.batch_size)
    batch = {"x": jax.ShapeDtypeStruct((*shape, *source.shape), jnp.float32)}
    return batch | ({"y": jax.ShapeDtypeStruct(shape, jnp.int32)} if source.classes else {})


def abstract_state(game: Game, source: Source, common: RunConfig, mesh: Mesh) -> State:
    """Shapes, dtypes and placement of `new_state`, without its arrays: what a checkpoint is restored into."""
    return abstract(lambda: new_state(game, source, common), mesh)


def check(experiment: Experiment, source: Source, devices: int | None = None) -> None:
    """Raises `BadInput` where a run cannot be: before anything is compiled.

    That is where `devices`, by default all, cannot share the batch, where a game does not make examples like the real
    ones, and where `--best` is not logged.
    """
    common = experiment.common
    if jax.process_count() > 1:
        raise BadInput("a run is trained by one process: start it without jax.distributed, or shard the seeds by hand")
    check_shares(common.batch_size, devices or len(jax.devices()))
    if common.evaluate and len(source.shape) != 3:
        raise BadInput(f"--evaluate is for images, and {source.name} has points of shape {source.shape}: leave it out")
    for phase in experiment.phases:
        check_fit(phase.game, source, common)
    scores = ranked_scores(common)
    for names in logged(experiment, source) if common.best else ():
        names = [*names, *scores]
        if common.best not in names:
            raise BadInput(f"--best {common.best} is not logged: choose one of {', '.join(names)}")


def check_fit(game: Game, source: Source, common: RunConfig) -> None:
    """Raises `BadInput` where a game asks for labels that the data lacks, or makes what is not of the data's shape."""
    label = game.codes.get("y")
    if label and len(source.classes) != label.classes:
        has = f"{len(source.classes)} classes" if source.classes else "no labels"
        wants = f"this game wants {label.classes}" if label.classes else "this game wants some"
        raise BadInput(f"{source.name} has {has} and {wants}: give --data mnist5k, or a folder of class folders")
    players = abstract_state(game, source, common, make_mesh()).players
    latents = jax.eval_shape(game.prior, jax.random.split(jax.random.key(0), common.batch_size))
    made = jax.eval_shape(lambda players, latents: game.sample(bind(game, players), latents), players, latents)
    if made.shape[1:] != source.shape:
        raise BadInput(f"{source.name} has examples of shape {source.shape}, and this game makes {made.shape[1:]}")


def logged(experiment: Experiment, source: Source) -> list[list[str]]:
    """The names of what every phase logs, by tracing its step: a loss that raises does so here, before anything."""
    common, mesh = experiment.common, make_mesh()
    shapes = [
        (abstract_state(phase.game, source, common, mesh), abstract_batch(phase.game, source, common))
        for phase in experiment.phases
    ]
    steps = [make_step(phase.game) for phase in experiment.phases]
    return [sorted(jax.eval_shape(step, *args)[1]) for step, args in zip(steps, shapes, strict=True)]
