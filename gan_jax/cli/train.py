"""`gan-jax train`: trains an experiment, or resumes its run."""

import dataclasses
import math
import sys
from collections.abc import Mapping
from pathlib import Path

from gan_jax.cli.signals import stop_signals
from gan_jax.config.discovery import find
from gan_jax.config.experiment import Experiment, schedule_phases
from gan_jax.config.flags import parse
from gan_jax.data import Source
from gan_jax.engine.game import State
from gan_jax.evaluation.evaluator import Evaluator, merge_protocols, ranked_scores, write_protocols
from gan_jax.evaluation.protocol import Protocol, describe
from gan_jax.monitoring.monitor import summary
from gan_jax.runs.digest import digest
from gan_jax.runs.lock import run_lock
from gan_jax.runs.manifest import manifest
from gan_jax.runs.provenance import compute_repeatably
from gan_jax.runs.run_data import open_data
from gan_jax.runs.run_dir import RunDir
from gan_jax.training.progress import say, saying
from gan_jax.training.train import announce, check, logged, new_state, train
from gan_jax.viz.images import save_png


def train_experiment(name: str, flags: list[str]) -> int:
    """Runs `gan-jax train NAME FLAGS...`; returns the exit code."""
    entry = find(name)
    if entry.note:
        say(entry.note)
    build = entry.load(flags)
    parsed = parse(build, flags, f"gan-jax train {name}", given=["source"])
    common = parsed.kwargs["common"]
    if common.deterministic:
        compute_repeatably()
    folder = RunDir(common.run_dir or Path("runs") / f"{entry.name}-{common.seed}")
    length = common.schedule_images or folder.schedule_images() or common.images
    common = dataclasses.replace(common, schedule_images=length)
    with saying("reading the data"):
        source = open_data(common)
    experiment = build(source, **parsed.kwargs | {"common": common})
    with saying("tracing the game"):
        check(experiment, source)
        if not folder.manifest.exists():  # an experiment that fails must not claim the folder
            logged(experiment, source)
    protocols = _prepare_evaluation(experiment, source, folder) if common.evaluate else {}
    with run_lock(folder.path), stop_signals() as received:
        folder.claim(manifest(entry, parsed.settings | {"schedule_images": length}, source, parsed.files))
        if protocols:
            write_protocols(folder.protocols, protocols)
        announce(source, folder, common)
        state = train(experiment, source, folder, stop=lambda: bool(received))
    last_step = schedule_phases(experiment)[-1].steps.stop
    if received and (state is None or int(state.step) < last_step):
        saved = "nothing was saved yet" if state is None else f"saved in {folder.path}"
        print(f"stopped; {saved}: the same command continues", file=sys.stderr)
        return 128 + received[0]
    if state is None:
        print(f"{folder.path} has been trained for more than --images {common.images} already", file=sys.stderr)
        return 0
    _print_outputs(experiment, folder, state)
    if better := ranked_scores(common):
        report_scores(folder, better)
        print("protocol    " + "; ".join(dict.fromkeys(map(describe, protocols.values()))))
    return 0


def _prepare_evaluation(experiment: Experiment, source: Source, folder: RunDir) -> dict[str, Protocol]:
    """Returns the protocols of a run's scores; computes all scores once if the run is new.

    Raises:
        BadInput: a metric is not supported, or the run was evaluated under another protocol before.
    """
    game, source = experiment.phases[0].game, experiment.played_on(source)
    evaluator = Evaluator(experiment.common, source, game)
    protocols = merge_protocols(folder.protocols, evaluator.protocols(game))
    if not folder.manifest.exists():
        with saying("computing every score once"):
            evaluator.rehearse(game, new_state(game, source, experiment.phases[0].flags(experiment.common)))
    return protocols


def _print_outputs(experiment: Experiment, folder: RunDir, state: State) -> None:
    """Prints the files of a finished run, the digest of its state, and the findings of the monitors."""
    last = schedule_phases(experiment)[-1]
    print(f"samples     {folder.preview(last.images(last.steps.stop))}")
    print(f"animation   {folder.animation}")
    print(f"curves      {folder.curves}")
    print(f"checkpoint  {folder.checkpoints / str(last.steps.stop)}")
    print(f"digest      {digest(state)}")
    for line in summary(folder):
        print(f"health      {line}")


def report_scores(folder: RunDir, better: Mapping[str, str]) -> None:
    """Prints the last and the best value of every score, which shows a late collapse, and draws their curves."""
    records, lines = folder.records(), {}
    for name, direction in better.items():
        scored = [(record[name], record["images"]) for record in records if math.isfinite(record.get(name, math.nan))]
        if scored:
            best, images = (max if direction == "higher" else min)(scored)
            lines[name] = f"{name:<11} {scored[-1][0]:.4g} at the end; best {best:.4g} at {images:,} images"
    if lines:
        higher = {name for name in lines if better[name] == "higher"}
        from gan_jax.viz import charts  # imports Matplotlib

        save_png(folder.scores, charts.metric_curves(records, list(lines), higher))
        print("\n".join((*lines.values(), f"scores      {folder.scores}")))
