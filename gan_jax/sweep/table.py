"""Tabulates a sweep: outcomes of runs, statistics over seeds, four formats. NumPy only, no JAX."""

import csv
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from rich.table import Table as RichTable

from gan_jax.config.user_code import shorten
from gan_jax.evaluation.seed_statistics import Statistics, format_number, format_spread, nan_to_none, summarize

WIDTH = 120
"""Width of the table in a terminal, in characters."""


class Outcome(NamedTuple):
    """The outcome of one run."""

    seed: int
    final: Mapping[str, float]
    """The last value of every metric."""
    best: Mapping[str, float]
    """The best value of every metric over time; NaN without a finite one."""
    succeeded: bool
    diverged: bool
    """Whether a final loss or norm of a move is not finite."""
    seconds: float
    """The run's share of its program's seconds."""


class Metric(NamedTuple):
    """A column of the table: a metric, and whether higher is better."""

    name: str
    higher: bool


class Row(NamedTuple):
    """One setting of the grid over its seeds."""

    varied: Mapping[str, str]
    outcomes: Sequence[Outcome]
    seconds: float
    """Total seconds of the programs of its runs, compilation included."""

    @property
    def succeeded(self) -> int:
        """The number of runs that succeeded."""
        return sum(outcome.succeeded for outcome in self.outcomes)

    @property
    def diverged(self) -> int:
        """The number of runs that diverged."""
        return sum(outcome.diverged for outcome in self.outcomes)

    @property
    def seconds_per_seed(self) -> float:
        """The mean of the runs' shares of their programs' seconds."""
        return sum(outcome.seconds for outcome in self.outcomes) / len(self.outcomes)


class About(NamedTuple):
    """How the table was made."""

    command: str
    experiment: str
    seeds: Sequence[int]
    device: str
    versions: Mapping[str, str]


def outcome(
    seed: int,
    records: Sequence[Mapping[str, Any]],
    index: int,
    higher: frozenset[str],
    success: Callable[[Mapping[str, float]], bool] | None,
    seconds: float,
) -> Outcome:
    """Reads the outcome of run `index` from a program's records. Without `success`, finite runs succeed."""
    series: dict[str, list[float]] = {}
    for record in records:
        for name, values in record.items():
            if isinstance(values, list):
                series.setdefault(name, []).append(values[index])
    final = {name: values[-1] for name, values in series.items()}
    best = {name: _best(values, name in higher) for name, values in series.items()}
    diverged = not all(math.isfinite(value) for name, value in final.items() if "/" in name)
    finite = all(math.isfinite(value) for name, values in series.items() if "/" in name for value in values)
    return Outcome(
        seed, final, best, finite if success is None else not diverged and bool(success(final)), diverged, seconds
    )


def _best(values: Sequence[float], higher: bool) -> float:
    return (max if higher else min)(filter(math.isfinite, values), default=math.nan)


def final(row: Row, metric: Metric) -> Statistics:
    """Computes statistics of the last values over seeds."""
    return summarize({o.seed: o.final.get(metric.name, math.nan) for o in row.outcomes}, metric.higher)


def best_so_far(row: Row, metric: Metric) -> Statistics:
    """Computes statistics of every seed's best value over time."""
    return summarize({o.seed: o.best.get(metric.name, math.nan) for o in row.outcomes}, metric.higher)


def terminal(rows: Sequence[Row], metrics: Sequence[Metric]) -> RichTable:
    """Formats the table for a terminal: final mean and std, below them the best and worst seed and the best so far."""
    table = RichTable(box=None, header_style="bold", pad_edge=False, width=None)
    for name in rows[0].varied:
        table.add_column(_flag(name), overflow="fold")
    for metric in metrics:
        heads = f"{metric.name} {_arrow(metric)}\n[dim]best, worst\nbest so far[/dim]"
        table.add_column(heads, justify="right", overflow="fold")
    for heads in ("succeeded\n[dim]of seeds[/dim]", "seconds\n[dim]per seed[/dim]"):
        table.add_column(heads, justify="right")
    for row, varied in zip(rows, shown([row.varied for row in rows]), strict=True):
        ends, so_far = ([over(row, metric) for metric in metrics] for over in (final, best_so_far))
        cells = [
            f"{format_spread(e)}\n[dim]{_extremes(e)}\n{format_spread(b)}[/dim]"
            for e, b in zip(ends, so_far, strict=True)
        ]
        words = [word.replace("[", r"\[") for word in varied]
        seconds = f"{row.seconds:,.0f}\n[dim]{row.seconds_per_seed:.1f}[/dim]"
        table.add_row(*words, *cells, _share(row).replace(", ", "\n"), seconds)
    return table


def markdown(rows: Sequence[Row], metrics: Sequence[Metric], about: About) -> str:
    """Formats the table as Markdown, with a legend and the command that made it."""
    heads = [_flag(name) for name in rows[0].varied]
    for metric in metrics:
        heads += [f"{metric.name} {_arrow(metric)}", "best, worst"]
    heads += ["succeeded", "seconds", "per seed", *(f"{metric.name} best so far" for metric in metrics)]
    lines = [heads, ["---"] * len(heads)]
    for row, varied in zip(rows, shown([row.varied for row in rows]), strict=True):
        cells = [f"`{word}`" for word in varied]
        for metric in metrics:
            end = final(row, metric)
            cells += [format_spread(end), _extremes(end)]
        cells += [_share(row), f"{row.seconds:.0f}", f"{row.seconds_per_seed:.1f}"]
        lines.append(cells + [format_spread(best_so_far(row, metric)) for metric in metrics])
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    versions = ", ".join(f"{name} {version}" for name, version in about.versions.items())
    seeds = f"seeds {about.seeds[0]} to {about.seeds[-1]}" if len(about.seeds) > 1 else f"seed {about.seeds[0]}"
    return (
        f"{table}\n\nMean ± standard deviation over {seeds} at the end of the run, with the best and the worst "
        "seed; the last columns summarize every seed's best value over time. Numbers that are not finite are not in "
        "means, but counted as diverged. Seconds are those of whole programs, compilation included.\n\n"
        f"```sh\n{about.command}\n```\n\n{about.experiment} on {about.device}; {versions}.\n"
    )


def as_csv(rows: Sequence[Row], metrics: Sequence[Metric]) -> str:
    """Formats the table as CSV, one line per setting and metric."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    measures = [f"final_{name}" for name in Statistics._fields] + ["best_so_far_mean", "best_so_far_std"]
    runs = ["seeds", "succeeded", "diverged", "seconds", "seconds_per_seed"]
    writer.writerow([*rows[0].varied, "metric", "better", *measures, *runs])
    for row in rows:
        counts = [len(row.outcomes), row.succeeded, row.diverged, row.seconds, row.seconds_per_seed]
        for metric in metrics:
            so_far = best_so_far(row, metric)
            better = "higher" if metric.higher else "lower"
            values = [*final(row, metric), so_far.mean, so_far.std]
            writer.writerow([*row.varied.values(), metric.name, better, *values, *counts])
    return text.getvalue()


def as_json(rows: Sequence[Row], metrics: Sequence[Metric], about: About) -> str:
    """Formats the table as JSON with the metrics of every seed; values that are not finite are null."""
    listed = [
        {
            "varied": dict(row.varied),
            "metrics": {
                metric.name: {
                    "better": "higher" if metric.higher else "lower",
                    "final": final(row, metric)._asdict(),
                    "best_so_far": best_so_far(row, metric)._asdict(),
                }
                for metric in metrics
            },
            "succeeded": row.succeeded,
            "diverged": row.diverged,
            "seconds": row.seconds,
            "seconds_per_seed": row.seconds_per_seed,
            "runs": [outcome._asdict() for outcome in row.outcomes],
        }
        for row in rows
    ]
    return json.dumps(nan_to_none(about._asdict() | {"rows": listed}), indent=2, allow_nan=False) + "\n"


def _extremes(statistics: Statistics) -> str:
    return f"{format_number(statistics.best)}, {format_number(statistics.worst)}"


def _share(row: Row) -> str:
    share = f"{row.succeeded} of {len(row.outcomes)}"
    return f"{share}, {row.diverged} diverged" if row.diverged else share


def _arrow(metric: Metric) -> str:
    return "↑" if metric.higher else "↓"


def _flag(name: str) -> str:
    return name.replace("_", "-")


def shown(varied: Sequence[Mapping[str, str]]) -> list[list[str]]:
    """Returns the varied values of every row, with the paths of users' files as short as tells all of them apart."""
    words = iter(shorten([word for row in varied for word in row.values()]))
    return [[next(words) for _ in row] for row in varied]
