"""`gan-jax sweep`: from flags to a table."""

import contextlib
import dataclasses
import functools
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path

import jax
import tyro
from rich.console import Console

from gan_jax.cli.signals import stop_signals
from gan_jax.config.discovery import find
from gan_jax.config.experiment import RunConfig
from gan_jax.config.flags import PositiveInt, parse, split
from gan_jax.data import Source, open_source
from gan_jax.errors import BadInput
from gan_jax.evaluation.evaluator import Evaluator
from gan_jax.evaluation.suite import directions
from gan_jax.runs.files import write_atomic
from gan_jax.runs.lock import run_lock
from gan_jax.runs.manifest import manifest
from gan_jax.runs.provenance import compute_repeatably, versions
from gan_jax.sweep import table
from gan_jax.sweep.figure import draw_sheet
from gan_jax.sweep.grid import combinations, parse_vary
from gan_jax.sweep.runner import Program, names, programs, rows, train_all
from gan_jax.sweep.sweep_dir import SweepDir
from gan_jax.sweep.table import Metric
from gan_jax.training.train import higher, new_state

DATA = {"data", "data_dir", "image_size"}
"""The flags that say what the data is; where one is varied, a comparison has no data of its own."""


@dataclasses.dataclass(frozen=True)
class Options:
    """Trains every combination of the varied settings with many seeds, and makes a table.

    Any flag of the experiment may be given too: see `gan-jax train EXPERIMENT --help`. Seeds are counted from --seed.
    """

    vary: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """A flag of the experiment and its values, as in loss=hinge,wasserstein; a value with a comma stands in double
    quotes. May be given again for another flag."""
    seeds: PositiveInt = 5
    """How many seeds each setting is trained with. A program that was begun with more of them is trained with all."""
    exact: bool = False
    """Train the seeds one after the other, each to the bit as gan-jax train does, and not side by side."""
    metrics: str = ""
    """Columns of the table, separated by commas, by default the experiment's scores or else its losses. Of a logged
    metric less is better, unless it is written name:max."""


def sweep(name: str, flags: Sequence[str], stop: Callable[[], bool]) -> bool:
    """`gan-jax sweep NAME FLAGS...`; whether it came to its end. Raises `BadInput` before anything is written."""
    entry, prog = find(name), f"gan-jax sweep {name}"
    own, rest = split(Options, flags)
    options: Options = Options(**parse(Options, own, prog).kwargs)
    grid = combinations(entry.load, rest, parse_vary(options.vary), prog)
    common: RunConfig = grid[0].kwargs["common"]
    if common.deterministic:
        compute_repeatably()
    if common.evaluate and DATA & grid[0].varied.keys():
        raise BadInput("--evaluate compares with the data: scores beside different data cannot stand in one table")
    if common.best:
        raise BadInput("--best is for train: the table has the best of every metric")
    if common.rollbacks:
        raise BadInput("--rollbacks is for train: all runs of a program go on together")
    if common.pipeline != "device":
        raise BadInput("--pipeline tf is for train: all runs of a program read the data from the device")
    if common.seed + options.seeds > 2**32:
        raise BadInput(f"--seeds {options.seeds} from --seed {common.seed} on leads beyond 2**32")
    seeds = range(common.seed, common.seed + options.seeds)
    if not options.exact:
        _use_all_cores()
    folder = SweepDir(common.run_dir or _default_folder(entry.name))

    @functools.cache
    def opened(data: str, data_dir: Path | None, size: int | None) -> Source:
        return open_source(data, data_dir, size=size)

    def open_data(common: RunConfig) -> Source:
        return opened(common.data, common.data_dir, common.image_size)

    fixed = {name: value for name, value in grid[0].settings.items() if name not in grid[0].varied}
    files = dict.fromkeys(file for combination in grid for file in combination.files)
    about = manifest(entry, fixed, open_data(common), list(files))
    about = folder.check(about if fixed.keys() >= DATA else about._replace(data={}))
    plays = programs(entry.load, grid, seeds, options.exact, folder, open_data)
    columns = _columns(options.metrics, plays)
    if common.evaluate and not all(program.finished for program in plays):
        experiment, source = plays[0].lanes.experiment, open_data(common)
        game = experiment.phases[0].game
        Evaluator(common, source).rehearse(game, new_state(game, source, experiment.common))
    with run_lock(folder.path):
        folder.keep(about)
        done = train_all(plays, folder, stop)
    if not done:
        saved = f"saved in {folder.path}" if any(program.saved for program in plays) else "nothing was saved yet"
        print(f"stopped; {saved}: the same command goes on from there", file=sys.stderr)
        return False

    higher = frozenset(metric.name for metric in columns if metric.higher)
    lines = rows(grid, seeds, options.exact, plays, higher)
    devices = ", ".join(dict.fromkeys(program.about.device for program in plays))
    told = table.About(shlex.join(["gan-jax", "sweep", name, *flags]), entry.name, seeds, devices, versions())
    write_atomic(folder.table("md"), table.markdown(lines, columns, told).encode())
    write_atomic(folder.table("csv"), table.as_csv(lines, columns).encode())
    write_atomic(folder.table("json"), table.as_json(lines, columns, told).encode())
    draw_sheet(grid, seeds, options.exact, plays, folder)
    Console(width=table.WIDTH, highlight=False).print(table.terminal(lines, columns))
    print(f"\ntable       {', '.join(str(folder.table(form)) for form in ('md', 'csv', 'json'))}")
    print(f"samples     {folder.sheet}")
    return True


def _default_folder(name: str) -> Path:
    """Returns `runs/sweep-NAME`, or `runs/compare-NAME` if an earlier release began one there."""
    before = Path("runs") / f"compare-{name}"
    return before if before.exists() else Path("runs") / f"sweep-{name}"


def _use_all_cores() -> None:
    """Makes a device of every core, where there are only cores: lanes share nothing, and run several times as fast.

    Whoever has said how many CPU devices there are is left alone.
    """
    if "xla_force_host_platform_device_count" in os.environ.get("XLA_FLAGS", "") or jax.config.jax_num_cpu_devices >= 0:
        return
    with contextlib.suppress(RuntimeError):  # JAX is in use already, and its devices are what they are
        jax.config.update("jax_num_cpu_devices", os.cpu_count() or 1)


def _columns(asked: str, plays: Sequence[Program]) -> list[Metric]:
    """The metrics of the table: those that were asked for, or the scores, or where there are none the losses.

    A score has a bare name; what a move logs is called after the move, as `d/loss`.
    """
    known = list(dict.fromkeys(name for program in plays for name in names(program)))
    errors = {name for name, way in directions().items() if way == "neither"}
    scores = [name for name in known if "/" not in name and name not in errors]
    upwards = frozenset().union(*(higher(program.lanes.experiment) for program in plays))
    chosen = []
    for word in asked.split(",") if asked else scores or [name for name in known if name.endswith("/loss")]:
        name, _, direction = word.strip().partition(":")
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"choose of {', '.join(known)}"
            raise BadInput(f"--metrics {name} is not logged: {hint}")
        if direction not in ("", "max", "min"):
            raise BadInput(f"--metrics {word}: write {name}:max where more is better")
        chosen.append(Metric(name, direction == "max" or (not direction and name in upwards)))
    return chosen


def run_sweep(name: str, flags: list[str]) -> int:
    """`gan-jax sweep NAME FLAGS...`: trains a grid of settings, or goes on with it. Returns the exit code."""
    with stop_signals() as received:
        done = sweep(name, flags, stop=lambda: bool(received))
    return 0 if done else 128 + received[0]
