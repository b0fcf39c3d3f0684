"""Scores as tables: of one subject, and of many beside each other, runs that differ in their seed in one row."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rich.table import Table

from gan_jax.judge.results import Results
from gan_jax.judge.suite import METRICS, better
from gan_jax.statistics import Statistics, spread, statistics

ARROWS = {"higher": " ↑", "lower": " ↓"}


class Row(NamedTuple):
    """A subject, or the runs of one experiment and setting that differ in their seed."""

    name: str
    runs: int
    values: dict[str, Statistics]
    """Every value, over the runs."""


def rows(results: Sequence[Results]) -> list[Row]:
    """Subjects, runs that differ in nothing but their seed together; names tell apart what else differs."""
    groups: dict[str, list[Results]] = {}
    for each in results:
        groups.setdefault(json.dumps([each.subject["name"], _settings(each), each.subject.get("path")]), []).append(
            each
        )
    together = list(groups.values())
    return [Row(_name(group[0], results), len(group), _values(group)) for group in together]


def markdown(table: Sequence[Row]) -> str:
    """For a page of results."""
    columns = _columns(table)
    heads = ["", "runs", *(name + arrow for name, arrow in columns.items())]
    lines = [heads, ["---"] * len(heads)]
    lines += [[row.name, str(row.runs), *(_cell(row, name) for name in columns)] for row in table]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def terminal(table: Sequence[Row]) -> Table:
    """For a terminal: values downwards, for they are many, and subjects across."""
    shown = Table(box=None, header_style="bold", pad_edge=False)
    shown.add_column("")
    for row in table:
        shown.add_column(f"{row.name}\n[dim]{row.runs} runs[/dim]" if row.runs > 1 else row.name, justify="right")
    for name, arrow in _columns(table).items():
        shown.add_row(name + arrow, *(_cell(row, name) for row in table))
    return shown


def _values(group: Sequence[Results]) -> dict[str, Statistics]:
    names = [value for metric, scores in group[0].scores.items() for value in scores if value != "protocol"]
    ways = better(",".join(METRICS))
    return {
        name: statistics({i: _value(each, name) for i, each in enumerate(group)}, ways.get(name) == "higher")
        for name in names
    }


def _value(results: Results, name: str) -> float:
    """What was found; null, which is written for what is not finite, is NaN."""
    found = next((scores[name] for scores in results.scores.values() if name in scores), None)
    return math.nan if found is None else float(found)


def _columns(table: Sequence[Row]) -> dict[str, str]:
    """The values of any row, and which way is better."""
    ways = better(",".join(METRICS))
    return {name: ARROWS.get(ways.get(name, ""), "") for row in table for name in row.values}


def _cell(row: Row, name: str) -> str:
    return spread(row.values[name]) if name in row.values else ""


def _settings(results: Results) -> Mapping[str, Any]:
    return {name: value for name, value in results.subject.get("settings", {}).items() if name != "seed"}


def _name(results: Results, all_results: Sequence[Results]) -> str:
    """What a row is called: its subject, and the settings that others of the same name do not share."""
    alike = [_settings(each) for each in all_results if each.subject["name"] == results.subject["name"]]
    mine = _settings(results)
    differ = [name for name in mine if any(other.get(name) != mine[name] for other in alike)]
    flags = " ".join(f"--{name.replace('_', '-')} {mine[name]}" for name in differ)
    return f"{results.subject['name']} {flags}".strip()
