"""Trains a grid of settings and seeds, program after program, and makes the rows of the table.

A run is identified by its settings and seed. Runs that are already in the folder are not trained again, so more values
or more seeds cost only the new runs.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from gan_jax.config.experiment import RunConfig
from gan_jax.config.flags import parse, to_argv
from gan_jax.data import Source
from gan_jax.data.source import fingerprint
from gan_jax.engine.parallel import make_mesh
from gan_jax.errors import BadInput
from gan_jax.runs.checkpoint import Checkpoints
from gan_jax.runs.manifest import check_data
from gan_jax.runs.run_dir import Record
from gan_jax.sweep.batched_runs import BatchedRuns, Build, logged, trainable
from gan_jax.sweep.grid import Combination, group_by_structure
from gan_jax.sweep.sweep_dir import About, ProgramFolder, Run, SweepDir, identity
from gan_jax.sweep.table import Row, outcome
from gan_jax.training.logger import MetricsLog
from gan_jax.training.loop import play, resume
from gan_jax.training.progress import ProgressBar
from gan_jax.training.train import check


class Program(NamedTuple):
    """Batched runs and the folder they are trained in."""

    runs: BatchedRuns
    about: About
    folder: ProgramFolder

    @property
    def images(self) -> int:
        """The number of real images shown to the discriminators of all runs together."""
        last = self.runs.plan[-1]
        return len(self.about.runs) * last.images(last.steps.stop)

    @property
    def saved(self) -> int:
        """The step of the last checkpoint, or 0."""
        return Checkpoints(self.folder.checkpoints).latest() or 0

    @property
    def finished(self) -> bool:
        """Whether the last step is saved. Raises `BadInput` if the records end before the last checkpoint."""
        saved, records = self.saved, self.folder.records()
        if saved > (records[-1]["step"] if records else 0):
            raise BadInput(f"{self.folder.metrics} ends before step {saved}, which is saved: {self.folder.cure}")
        return saved >= self.runs.plan[-1].steps.stop


def programs(
    load: Callable[[Sequence[str]], Build],
    grid: Sequence[Combination],
    seeds: Sequence[int],
    exact: bool,
    folder: SweepDir,
    open_data: Callable[[RunConfig], Source],
) -> list[Program]:
    """Returns the programs that train the grid: those in the folder that contain any of its runs, then new ones.

    Raises:
        BadInput: a run cannot be trained, or the folder is damaged; nothing is written.
    """

    fingerprints: dict[Callable, str] = {}

    def fingerprint_once(source: Source) -> str:
        if source.read not in fingerprints:
            fingerprints[source.read] = fingerprint(source)
        return fingerprints[source.read]

    def program(
        combinations: Sequence[Combination], seeds: Sequence[int], exact: bool, began: About | None = None
    ) -> Program:
        source = open_data(combinations[0].kwargs["common"])
        devices = _devices(len(combinations) * len(seeds), exact)
        runs = BatchedRuns(load(), source, combinations, seeds, exact, make_mesh(devices))
        check(runs.experiment, source, len(devices) if exact else 1)
        device = began.device if began else f"{len(devices)} x {devices[0].device_kind}"
        about = About([c.settings for c in combinations], seeds, exact, device, fingerprint_once(source))
        if began and began.data:
            words = about.settings[0]["data"]
            check_data(folder.path, (words, {"fingerprint": began.data}), (words, {"fingerprint": about.data}))
        return Program(runs, about, ProgramFolder(folder.place(about)))

    wanted = {(identity(c.settings, exact), seed): c for c in grid for seed in seeds}
    begun, has = [], set()
    for about in folder.programs():
        if wanted.keys() & set(about.runs):
            parsed = (
                parse(load(argv), argv, "gan-jax sweep", given=["source"]) for argv in map(to_argv, about.settings)
            )
            begun.append(program([Combination({}, *each) for each in parsed], about.seeds, about.exact, about))
            has |= set(about.runs)

    missing: dict[tuple[int, ...], list[Combination]] = {}
    for combination in grid:
        left = tuple(seed for seed in seeds if (identity(combination.settings, exact), seed) not in has)
        if left:
            missing.setdefault(left, []).append(combination)
    needed = []
    for left, combinations in missing.items():
        for group in [[c] for c in combinations] if exact else group_by_structure(combinations):
            together = program(group, left, exact)
            one_by_one = [program([c], left, exact) for c in group]
            needed += [together] if len(group) == 1 or _can_be_traced(together.runs) else one_by_one
    return begun + needed


def _devices(runs: int, exact: bool) -> list[jax.Device]:
    """Returns the most devices that share the runs evenly, or with `exact` all devices."""
    devices = jax.devices()
    return devices if exact else devices[: max(n for n in range(1, len(devices) + 1) if runs % n == 0)]


def _can_be_traced(runs: BatchedRuns) -> bool:
    """Whether the varied floats can be traced; if the experiment branches on one, each value needs its own program."""
    try:
        logged(runs)
    except Exception:  # any other error is raised again by the separate programs
        return False
    return True


def logged_names(program: Program) -> list[str]:
    """Returns the names of a program's logged metrics, from its records or by tracing its game."""
    return list(_numbers(program.folder.records()[-1])) if program.finished else logged(program.runs)


def train_all(all_programs: Sequence[Program], folder: SweepDir, stop: Callable[[], bool]) -> bool:
    """Trains all unfinished programs; returns whether all were finished."""
    left = [program for program in all_programs if not program.finished]
    if not left:
        return True
    done = 0
    with ProgressBar(sum(program.images for program in left)) as progress:
        for program in left:
            folder.begin(program.about)
            _train(program, progress, done, stop)
            if not program.finished:
                return False
            done += program.images
    return True


def _train(program: Program, progress: ProgressBar, done: int, stop: Callable[[], bool]) -> None:
    """Trains one program from its last checkpoint, if any."""
    runs, folder = program.runs, program.folder
    players, plan, common = trainable(runs), runs.plan, runs.experiment.common
    many = len(program.about.runs)

    def show(record: Record, rate: float) -> None:
        medians = {name: float(np.median(each)) for name, each in _numbers(record).items()}
        progress.show(done + many * record["images"], medians, many * rate)

    progress.begin("compiling the training program")
    with Checkpoints(folder.checkpoints, common.keep) as checkpoints:
        resumed, state = resume(players, plan, checkpoints, runs.mesh)
        records = MetricsLog(folder, resumed, show)
        for reached in play(players, plan, common, resumed, state, stop):
            progress.begin("training")
            records.flush()  # the chunk before, while the device plays this one
            with progress.doing("evaluating"):
                metrics = reached.metrics | reached.evaluate()
            records.add(reached.step, plan[reached.phase].images(reached.step), metrics)
            if reached.checkpoint_due:
                records.flush()
                checkpoints.save(reached.state)
            if reached.step == plan[reached.phase].steps.stop:
                progress.begin("compiling the next phase")


def rows(
    grid: Sequence[Combination], seeds: Sequence[int], exact: bool, all_programs: Sequence[Program], higher: frozenset
) -> list[Row]:
    """Makes one row of the table per setting, from the records of the programs."""
    trained = locate_runs(all_programs)
    records = {program.folder.path: program.folder.records() for program in all_programs}
    table = []
    for combination in grid:
        runs = {seed: trained[identity(combination.settings, exact), seed] for seed in seeds}
        evaluation = next(iter(runs.values()))[0].runs.experiment.evaluation
        seconds = {p.folder.path: float(records[p.folder.path][-1]["seconds"]) for p, _ in runs.values()}
        outcomes = [
            outcome(
                seed,
                records[program.folder.path],
                index,
                higher,
                evaluation and evaluation.success,
                seconds[program.folder.path] / len(program.about.runs),
            )
            for seed, (program, index) in runs.items()
        ]
        table.append(Row(combination.varied, outcomes, math.fsum(seconds.values())))
    return table


def locate_runs(all_programs: Sequence[Program]) -> dict[Run, tuple[Program, int]]:
    """Returns the program of each run, and the run's index in it."""
    return {run: (program, index) for program in all_programs for index, run in enumerate(program.about.runs)}


def _numbers(record: Mapping[str, Any]) -> dict[str, list[float]]:
    return {name: values for name, values in record.items() if isinstance(values, list)}
