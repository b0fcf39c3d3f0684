"""`gan-jax sweep`: trains a grid of settings with several seeds each, and writes a table of scores."""

import contextlib
import dataclasses
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path

import jax
import tyro

from gan_jax.cli.output import print_table
from gan_jax.cli.signals import stop_signals
from gan_jax.config.discovery import Entry, find
from gan_jax.config.experiment import RunConfig
from gan_jax.config.flags import PositiveInt, parse, split
from gan_jax.data import Source
from gan_jax.data.source import describe_source
from gan_jax.errors import BadInput
from gan_jax.evaluation.evaluator import Evaluator
from gan_jax.evaluation.suite import directions
from gan_jax.runs import run_data
from gan_jax.runs.files import write_atomic
from gan_jax.runs.lock import run_lock
from gan_jax.runs.manifest import Manifest, manifest
from gan_jax.runs.provenance import compute_repeatably, versions
from gan_jax.sweep import table
from gan_jax.sweep.figure import draw_samples
from gan_jax.sweep.grid import Combination, combinations, parse_vary
from gan_jax.sweep.runner import Program, logged_names, programs, rows, train_all
from gan_jax.sweep.sweep_dir import SweepDir
from gan_jax.sweep.table import Metric
from gan_jax.training.progress import say, saying
from gan_jax.training.train import higher, new_state

DATA = {"data", "pair", "to", "tile", "data_dir", "image_size"}
"""Flags that select the data; a sweep that varies one has no single data set."""


@dataclasses.dataclass(frozen=True)
class Options:
    """Trains every combination of the varied settings with several seeds, and writes a table of scores.

    All flags of the experiment are accepted as well: see `gan-jax train EXPERIMENT --help`. The first seed is --seed.
    """

    vary: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """A flag of the experiment and its values, as in loss=hinge,wasserstein; a value with a comma is written in double
    quotes. Repeat --vary for several flags."""
    seeds: PositiveInt = 5
    """Number of seeds per setting."""
    exact: bool = False
    """Train runs one after the other, each bit-identical to gan-jax train; side by side is faster."""
    metrics: str = ""
    """Columns of the table, separated by commas; by default the experiment's scores, or else its losses. Write
    name:max if a higher value of a logged metric is better."""


def run_sweep(name: str, flags: list[str]) -> int:
    """Runs `gan-jax sweep NAME FLAGS...`; returns the exit code."""
    with stop_signals() as received:
        done = sweep(name, flags, stop=lambda: bool(received))
    return 0 if done else 128 + received[0]


def sweep(name: str, flags: Sequence[str], stop: Callable[[], bool]) -> bool:
    """Trains or resumes the sweep, and writes its table; returns False if `stop()` ended it early.

    Raises:
        BadInput: a setting is not supported; nothing is written.
    """
    entry, prog = find(name), f"gan-jax sweep {name}"
    if entry.note:
        say(entry.note)
    own, rest = split(Options, flags)
    options = Options(**parse(Options, own, prog).kwargs)
    grid = combinations(entry.load, rest, parse_vary(options.vary), prog)
    common: RunConfig = grid[0].kwargs["common"]
    if common.deterministic:
        compute_repeatably()
    _check_flags(common, grid, options.seeds)
    seeds = range(common.seed, common.seed + options.seeds)
    if not options.exact:
        _use_all_cores()
    folder = SweepDir(common.run_dir or _default_folder(entry.name))
    open_data = _data_opener()
    about = _check_folder(folder, entry, grid, open_data(common))
    all_programs = programs(entry.load, grid, seeds, options.exact, folder, open_data)
    columns = _choose_columns(options.metrics, all_programs)
    if common.evaluate and not all(program.finished for program in all_programs):
        _rehearse_evaluation(all_programs[0], open_data(common))
    with run_lock(folder.path):
        folder.keep(about)
        for line in dict.fromkeys(describe_source(open_data(each.kwargs["common"])) for each in grid):
            print(f"data        {line}", file=sys.stderr)
        done = train_all(all_programs, folder, stop)
    if not done:
        saved = f"saved in {folder.path}" if any(p.saved for p in all_programs) else "nothing was saved yet"
        print(f"stopped; {saved}: the same command continues", file=sys.stderr)
        return False

    upward = frozenset(metric.name for metric in columns if metric.higher)
    lines = rows(grid, seeds, options.exact, all_programs, upward)
    devices = ", ".join(dict.fromkeys(program.about.device for program in all_programs))
    origin = table.About(shlex.join(["gan-jax", "sweep", name, *flags]), entry.name, seeds, devices, versions())
    _write_tables(folder, lines, columns, origin)
    draw_samples(grid, seeds, options.exact, all_programs, folder)
    print(f"samples     {folder.sheet}")
    return True


def _check_flags(common: RunConfig, grid: Sequence[Combination], seeds: int) -> None:
    """Raises `BadInput` for flags that a sweep does not support."""
    if common.evaluate and DATA & grid[0].varied.keys():
        raise BadInput("--evaluate is not supported if --vary changes the data: scores would not be comparable")
    if common.best:
        raise BadInput("--best is for train: the table has the best of every metric")
    if common.rollbacks:
        raise BadInput("--rollbacks is for train: all runs of a program advance together")
    if common.pipeline != "device":
        raise BadInput("--pipeline tf is for train: all runs of a program read the data from the device")
    if common.seed + seeds > 2**32:
        raise BadInput(f"--seeds {seeds} from --seed {common.seed} exceeds the largest seed, 2**32 - 1")


def _use_all_cores() -> None:
    """Makes every core of a CPU a device, because independent runs are several times as fast that way.

    Keeps a number of CPU devices that is already configured.
    """
    if "xla_force_host_platform_device_count" in os.environ.get("XLA_FLAGS", "") or jax.config.jax_num_cpu_devices >= 0:
        return
    with contextlib.suppress(RuntimeError):  # JAX is already initialized, so its devices are fixed
        jax.config.update("jax_num_cpu_devices", os.cpu_count() or 1)


def _default_folder(name: str) -> Path:
    """Returns `runs/sweep-NAME`, or `runs/compare-NAME` if an earlier release began one there."""
    before = Path("runs") / f"compare-{name}"
    return before if before.exists() else Path("runs") / f"sweep-{name}"


def _data_opener() -> Callable[[RunConfig], Source]:
    """Returns `open_data(common)`, which opens each data set once."""

    opened: dict[tuple, Source] = {}

    def open_once(common: RunConfig) -> Source:
        key = tuple(getattr(common, name) for name in sorted(DATA))
        if key not in opened:
            opened[key] = run_data.open_data(common)
        return opened[key]

    return open_once


def _check_folder(folder: SweepDir, entry: Entry, grid: Sequence[Combination], source: Source) -> Manifest:
    """Returns the manifest of the settings that are not varied. Raises `BadInput` if the folder holds another sweep."""
    fixed = {name: value for name, value in grid[0].settings.items() if name not in grid[0].varied}
    files = dict.fromkeys(file for combination in grid for file in combination.files)
    about = manifest(entry, fixed, source, list(files))
    return folder.check(about if fixed.keys() >= DATA else about._replace(data={}))


def _rehearse_evaluation(program: Program, source: Source) -> None:
    """Computes all scores of `--evaluate` once. Raises `BadInput` if a metric is not supported."""
    experiment = program.runs.experiment
    phase, source = experiment.phases[0], experiment.played_on(source)
    with saying("computing every score once"):
        state = new_state(phase.game, source, phase.flags(experiment.common))
        Evaluator(experiment.common, source, phase.game).rehearse(phase.game, state)


def _choose_columns(words: str, all_programs: Sequence[Program]) -> list[Metric]:
    """Returns the metrics of the table: those of `--metrics`, or the scores, or the losses if there are no scores.

    Names of scores have no prefix; metrics of a move have the prefix of the move, as in `d/loss`.
    """
    known = list(dict.fromkeys(name for program in all_programs for name in logged_names(program)))
    errors = {name for name, better in directions().items() if better == "neither"}
    scores = [name for name in known if "/" not in name and name not in errors]
    upward = frozenset().union(*(higher(program.runs.experiment) for program in all_programs))
    columns = []
    for word in words.split(",") if words else scores or [name for name in known if name.endswith("/loss")]:
        name, _, direction = word.strip().partition(":")
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(known)}"
            raise BadInput(f"--metrics {name} is not logged: {hint}")
        if direction not in ("", "max", "min"):
            raise BadInput(f"--metrics {word}: write {name}:max if higher is better")
        columns.append(Metric(name, direction == "max" or (not direction and name in upward)))
    return columns


def _write_tables(folder: SweepDir, lines: Sequence[table.Row], columns: Sequence[Metric], origin: table.About) -> None:
    """Writes the table as Markdown, CSV and JSON, and prints it."""
    write_atomic(folder.table("md"), table.markdown(lines, columns, origin).encode())
    write_atomic(folder.table("csv"), table.as_csv(lines, columns).encode())
    write_atomic(folder.table("json"), table.as_json(lines, columns, origin).encode())
    print_table(table.terminal(lines, columns), width=table.WIDTH)
    print(f"\ntable       {', '.join(str(folder.table(form)) for form in ('md', 'csv', 'json'))}")
