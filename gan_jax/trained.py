"""A run that has been trained: its experiment and a state of it, rebuilt from its folder without its data."""

from pathlib import Path
from typing import NamedTuple, NoReturn

from gan_jax.catalogue import find, load
from gan_jax.checkpoint import Checkpoints
from gan_jax.data import Source
from gan_jax.errors import BadInput
from gan_jax.experiment import Experiment, Stage, stages
from gan_jax.flags import parse, to_argv
from gan_jax.game import Game, State
from gan_jax.parallel import make_mesh
from gan_jax.run_folder import Manifest, RunFolder
from gan_jax.train import abstract_state, best_cost


class Trained(NamedTuple):
    """A checkpoint of a run, and all that is needed to play with it."""

    manifest: Manifest
    experiment: Experiment
    game: Game
    """Of the phase that the checkpoint was saved in."""
    state: State
    images: int
    """Real images shown to the discriminator by then."""


def restore(run: Path, step: int | None = None, best: bool = False) -> Trained:
    """A checkpoint of the run in a folder: that of a step, or the one that `--best` kept, or by default the last.

    Raises:
        BadInput: the folder holds no run, or no such checkpoint, or a damaged one, or one of other settings.
    """
    folder = RunFolder(run)
    manifest, experiment, source = rebuild(folder)
    checkpoints = Checkpoints(folder.checkpoints, best=best_cost(experiment))
    if best and (step := checkpoints.best()) is None:
        raise BadInput(f"{run} has no best checkpoint: train it with --best, or leave --best out")
    reached = checkpoints.latest() or 0 if step is None else step
    stage = stage_of(experiment, reached)
    state = checkpoints.restore(abstract_state(stage.game, source, experiment.common, make_mesh()), step)
    return Trained(manifest, experiment, stage.game, state, stage.images(int(state.step)))


def stage_of(experiment: Experiment, step: int) -> Stage:
    """The phase that a checkpoint of a step is of."""
    plan = stages(experiment)
    return next((stage for stage in plan if step <= stage.steps.stop), plan[-1])


def rebuild(folder: RunFolder) -> tuple[Manifest, Experiment, Source]:
    """The experiment of a run, from its manifest, and its source as a name and a shape: the data is not read."""
    manifest = folder.read()
    path = Path(manifest.experiment)
    build = load(path if path.is_file() else find(path.stem))
    parsed = parse(build, to_argv(manifest.settings), "gan-jax", given=["source"])
    shape, classes = tuple(manifest.data["shape"]), tuple(manifest.data["classes"])
    source = Source(manifest.data["name"], manifest.data["size"], shape, _unread, classes)
    return manifest, build(source, **parsed.kwargs), source


def _unread(_: object) -> NoReturn:
    raise AssertionError("a run is rebuilt without its data")
