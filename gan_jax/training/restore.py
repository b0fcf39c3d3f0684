"""Restores a trained run from its folder: the experiment and a checkpoint, without reading the data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from gan_jax.config.experiment import Build, Experiment, ScheduledPhase, schedule_phases
from gan_jax.config.flags import parse, to_argv
from gan_jax.data import Source
from gan_jax.data.modality import Spec, spec_from, spec_of
from gan_jax.data.source import stored
from gan_jax.data.sources.unpaired import merge
from gan_jax.engine.game import Game, State
from gan_jax.engine.parallel import make_mesh
from gan_jax.errors import BadInput
from gan_jax.runs.checkpoint import Checkpoints
from gan_jax.runs.files import is_a
from gan_jax.runs.manifest import Manifest
from gan_jax.runs.run_data import run_data
from gan_jax.runs.run_dir import RunDir
from gan_jax.training.train import abstract_state, best_cost


class RestoredRun(NamedTuple):
    """A checkpoint of a run, with its game and experiment."""

    manifest: Manifest
    experiment: Experiment
    game: Game
    """The game of the checkpoint's phase."""
    state: State
    images: int
    """Real images shown to the discriminator so far."""
    spec: Spec
    """The arrays of the examples that it is played on."""


def restore(run: Path, step: int | None = None, best: bool = False) -> RestoredRun:
    """Restores a checkpoint of a run: that of `step`, the best one, or by default the last.

    Raises:
        BadInput: the folder holds no run, or the checkpoint is missing, damaged or from other settings.
    """
    folder = RunDir(run)
    manifest, experiment, source = rebuild(folder)
    checkpoints = Checkpoints(folder.checkpoints, best=best_cost(experiment))
    if best and (step := checkpoints.best()) is None:
        raise BadInput(f"{run} has no best checkpoint: train it with --best, or leave --best out")
    reached = checkpoints.latest() or 0 if step is None else step
    stage = stage_of(experiment, reached)
    like = abstract_state(stage.game, source, stage.phase.flags(experiment.common), make_mesh())
    state = checkpoints.restore(like, step)
    return RestoredRun(manifest, experiment, stage.game, state, stage.images(int(state.step)), source.spec)


def stage_of(experiment: Experiment, step: int) -> ScheduledPhase:
    """Returns the phase in which the checkpoint of a step was saved."""
    plan = schedule_phases(experiment)
    return next((stage for stage in plan if step <= stage.steps.stop), plan[-1])


def rebuild(folder: RunDir) -> tuple[Manifest, Experiment, Source]:
    """Rebuilds a run's experiment from its manifest, with a source that has a name and a shape but no data.

    Raises:
        BadInput: the folder holds no run, or its manifest is damaged.
    """
    manifest = folder.read()
    source = _described(manifest.data)
    if source is None:
        raise BadInput(f"{folder.manifest} cannot be read (it describes no data): restore it, or train again")
    build, kwargs = _builder(manifest)
    experiment = build(source, **kwargs)
    return manifest, experiment, experiment.played_on(source)


def open_examples(folder: RunDir, split: str = "train") -> Source:
    """Opens the examples that a run is played on, derived from a split of its data. Raises `BadInput` as `run_data`."""
    manifest = folder.read()
    build, kwargs = _builder(manifest)
    source = run_data(folder.path, manifest, kwargs["common"])(split)
    return build(source, **kwargs).played_on(source)


def _builder(manifest: Manifest) -> tuple[Build, dict[str, Any]]:
    """Returns the function that builds a run's experiment from a source, and its other arguments."""
    argv = to_argv(manifest.flags())
    build = manifest.entry().load(argv)
    return build, parse(build, argv, "gan-jax", given=["source"]).kwargs


def _described(data: Mapping[str, Any]) -> Source | None:
    """Builds a source without data from its description; None if the description is invalid."""
    fields = {"name": str, "size": int, "shape": list, "classes": list}
    if not all(is_a(data.get(name), kind) for name, kind in fields.items()):
        return None
    if not all(isinstance(name, str) for name in data["classes"]):
        return None
    labels = data.get("labels", {})
    if not isinstance(labels, dict) or not all(is_a(names, list) for names in labels.values()):
        return None
    if "spec" not in data and len(data["shape"]) not in (1, 3):
        return None
    classes = tuple(data["classes"])
    try:  # manifests of earlier versions have the shape only
        spec = spec_from(data["spec"]) if "spec" in data else spec_of(tuple(data["shape"]), bool(classes))
        parts = tuple(map(_described, data.get("parts", ())))
    except (KeyError, TypeError, AttributeError, IndexError):
        return None
    sizes = [n for leaf in spec.values() for n in leaf.shape]
    if not spec or None in parts or not all(is_a(n, int) and n > 0 for n in sizes):
        return None
    source = merge(parts) if parts else stored(data["name"], data["size"], spec, _unread, classes)
    labels = {name: tuple(map(str, names)) for name, names in labels.items()}
    return source._replace(name=data["name"], read=_unread, classes=classes, labels=labels)


def _unread(_: object) -> NoReturn:
    raise AssertionError("a run is rebuilt without its data")
