"""Plays a grid of settings times seeds, program after program, and makes the table.

A run is its settings and its seed. What the folder's programs have trained of the grid is not trained again: more
values, or more seeds, are what they add.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from gan_jax.config.experiment import RunConfig
from gan_jax.config.flags import parse, to_argv
from gan_jax.data import Source
from gan_jax.engine.parallel import make_mesh
from gan_jax.errors import BadInput
from gan_jax.runs.checkpoint import Checkpoints
from gan_jax.runs.run_dir import Record
from gan_jax.sweep.batched_runs import Build, Lanes, logged, runner
from gan_jax.sweep.grid import Combination, alike
from gan_jax.sweep.sweep_dir import About, ProgramFolder, Run, SweepDir, identity
from gan_jax.sweep.table import Row, outcome
from gan_jax.training.logger import MetricsLog, ProgressBar
from gan_jax.training.loop import play, resume
from gan_jax.training.train import check


class Program(NamedTuple):
    """Lanes, and the folder where they are trained."""

    lanes: Lanes
    about: About
    folder: ProgramFolder

    @property
    def images(self) -> int:
        """Real images shown to all its discriminators in all."""
        last = self.lanes.plan[-1]
        return len(self.about.lanes) * last.images(last.steps.stop)

    @property
    def saved(self) -> int:
        """The last step that is saved, 0 where none is."""
        return Checkpoints(self.folder.checkpoints).latest() or 0

    @property
    def finished(self) -> bool:
        """Whether its last step is saved. Raises `BadInput` where its records end before what is saved."""
        saved, records = self.saved, self.folder.records()
        if saved > (records[-1]["step"] if records else 0):
            raise BadInput(f"{self.folder.metrics} ends before step {saved}, which is saved: {self.folder.cure}")
        return saved >= self.lanes.plan[-1].steps.stop


def programs(
    load: Callable[[Sequence[str]], Build],
    grid: Sequence[Combination],
    seeds: Sequence[int],
    exact: bool,
    folder: SweepDir,
    open_data: Callable[[RunConfig], Source],
) -> list[Program]:
    """The programs that train the grid: those begun in the folder that have any of it, then those still needed.

    Raises:
        BadInput: what is to be trained cannot be, or the folder is damaged; nothing is written.
    """

    def program(combinations: Sequence[Combination], seeds: Sequence[int], exact: bool, began_on: str = "") -> Program:
        source = open_data(combinations[0].kwargs["common"])
        devices = _devices(len(combinations) * len(seeds), exact)
        lanes = Lanes(load(), source, combinations, seeds, exact, make_mesh(devices))
        check(lanes.experiment, source, len(devices) if exact else 1)
        device = began_on or f"{len(devices)} x {devices[0].device_kind}"
        about = About([c.settings for c in combinations], seeds, exact, device)
        return Program(lanes, about, ProgramFolder(folder.place(about)))

    wanted = {(identity(c.settings, exact), seed): c for c in grid for seed in seeds}
    begun, has = [], set()
    for about in folder.programs():
        if wanted.keys() & set(about.lanes):
            parsed = (
                parse(load(argv), argv, "gan-jax sweep", given=["source"]) for argv in map(to_argv, about.settings)
            )
            begun.append(program([Combination({}, *each) for each in parsed], about.seeds, about.exact, about.device))
            has |= set(about.lanes)

    missing: dict[tuple[int, ...], list[Combination]] = {}
    for combination in grid:
        left = tuple(seed for seed in seeds if (identity(combination.settings, exact), seed) not in has)
        if left:
            missing.setdefault(left, []).append(combination)
    needed = []
    for left, combinations in missing.items():
        for group in [[c] for c in combinations] if exact else alike(combinations):
            together = program(group, left, exact)
            one_by_one = [program([c], left, exact) for c in group]
            needed += [together] if len(group) == 1 or _plays(together.lanes) else one_by_one
    return begun + needed


def _devices(lanes: int, exact: bool) -> list[jax.Device]:
    """As many devices as can share the lanes evenly, or with `exact` all, as for a single run."""
    devices = jax.devices()
    return devices if exact else devices[: max(n for n in range(1, len(devices) + 1) if lanes % n == 0)]


def _plays(lanes: Lanes) -> bool:
    """Whether the numbers of the lanes may be traced: an experiment that branches on one is a program for each."""
    try:
        logged(lanes)
    except Exception:  # Whatever else is wrong shows again, without numbers that are traced.
        return False
    return True


def names(program: Program) -> list[str]:
    """What a program logs, from its records, or from its game where there are none yet."""
    return list(_numbers(program.folder.records()[-1])) if program.finished else logged(program.lanes)


def train_all(all_programs: Sequence[Program], folder: SweepDir, stop: Callable[[], bool]) -> bool:
    """Trains what is not finished; whether everything is, in the end."""
    left = [program for program in all_programs if not program.finished]
    if not left:
        return True
    progress, done = ProgressBar(sum(program.images for program in left), 0), 0
    try:
        for program in left:
            folder.begin(program.about)
            _train(program, progress, done, stop)
            if not program.finished:
                return False
            done += program.images
    finally:
        progress.close()
    return True


def _train(program: Program, progress: ProgressBar, done: int, stop: Callable[[], bool]) -> None:
    """Trains one program, from its last checkpoint if there is one."""
    lanes, folder = program.lanes, program.folder
    players, plan, common = runner(lanes), lanes.plan, lanes.experiment.common
    many = len(program.about.lanes)

    def show(record: Record, rate: float) -> None:
        losses = {name: float(np.median(each)) for name, each in _numbers(record).items() if name.endswith("/loss")}
        progress.show(done + many * record["images"], many * rate, losses)

    with Checkpoints(folder.checkpoints, common.keep) as checkpoints:
        resumed, state = resume(players, plan, checkpoints, lanes.mesh)
        records = MetricsLog(folder, resumed, show)
        for reached in play(players, plan, common, resumed, state, stop):
            records.flush()  # the chunk before, while the device plays this one
            metrics = reached.metrics | reached.evaluate()
            records.add(reached.step, plan[reached.phase].images(reached.step), metrics)
            if reached.checkpoint_due:
                records.flush()
                checkpoints.save(reached.state)


def rows(
    grid: Sequence[Combination], seeds: Sequence[int], exact: bool, all_programs: Sequence[Program], higher: frozenset
) -> list[Row]:
    """A row of the table for every setting, from the records of the programs that its runs were trained in."""
    trained = where(all_programs)
    records = {program.folder.path: program.folder.records() for program in all_programs}
    table = []
    for combination in grid:
        runs = {seed: trained[identity(combination.settings, exact), seed] for seed in seeds}
        evaluation = next(iter(runs.values()))[0].lanes.experiment.evaluation
        seconds = {p.folder.path: float(records[p.folder.path][-1]["seconds"]) for p, _ in runs.values()}
        outcomes = [
            outcome(
                seed,
                records[program.folder.path],
                lane,
                higher,
                evaluation and evaluation.success,
                seconds[program.folder.path] / len(program.about.lanes),
            )
            for seed, (program, lane) in runs.items()
        ]
        table.append(Row(combination.varied, outcomes, math.fsum(seconds.values())))
    return table


def where(all_programs: Sequence[Program]) -> dict[Run, tuple[Program, int]]:
    """The program and the lane in which each run was trained."""
    return {run: (program, lane) for program in all_programs for lane, run in enumerate(program.about.lanes)}


def _numbers(record: Mapping[str, Any]) -> dict[str, list[float]]:
    return {name: values for name, values in record.items() if isinstance(values, list)}
