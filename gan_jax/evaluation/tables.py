"""Scores as tables: of one subject, and of many beside each other, runs that differ in their seed in one row."""

import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from rich.table import Table

from gan_jax.config.experiment import DURATION_AND_PLACE
from gan_jax.evaluation.protocol import Results
from gan_jax.evaluation.statistics import Statistics, spread, statistics
from gan_jax.evaluation.suite import ways

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
        about = each.subject
        identity = [about["name"], _settings(each), about.get("images"), about.get("path")]
        group = groups.setdefault(json.dumps(identity), [])
        if about.get("digest") not in [other.subject.get("digest", "none") for other in group]:  # the same run again
            group.append(each)
    return [Row(_name(group[0], results), len(group), _values(group)) for group in groups.values()]


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
    scores = [score for each in group for score in each.scores.values()]
    names = dict.fromkeys(value for score in scores for value in score if value != "protocol")
    return {
        name: statistics({i: _value(each, name) for i, each in enumerate(group)}, ways().get(name) == "higher")
        for name in names
    }


def _value(results: Results, name: str) -> float:
    """What was found; null, which is written for what is not finite, is NaN."""
    found = next((scores[name] for scores in results.scores.values() if name in scores), None)
    return math.nan if found is None else float(found)


def _columns(table: Sequence[Row]) -> dict[str, str]:
    """The values of any row, and which way is better."""
    return {name: ARROWS.get(ways().get(name, ""), "") for row in table for name in row.values}


def _cell(row: Row, name: str) -> str:
    if name not in row.values:
        return ""
    return spread(row.values[name]) if row.values[name].finite else "not finite"


def _settings(results: Results) -> dict[str, Any]:
    """What a run was trained with, but for its seed."""
    free = DURATION_AND_PLACE | {"seed"}
    return {name: value for name, value in results.subject.get("settings", {}).items() if name not in free}


def _name(results: Results, all_results: Sequence[Results]) -> str:
    """What a row is called: its subject, and what others of the same name do not share."""
    mine, about = _settings(results), results.subject
    others = [each for each in all_results if each.subject["name"] == about["name"]]
    differ = [name for name in mine if any(_settings(other).get(name) != mine[name] for other in others)]
    words = [about["name"], *(f"--{name.replace('_', '-')} {mine[name]}" for name in differ)]
    if any(other.subject.get("images") != about.get("images") for other in others):
        words.append(f"at {about.get('images', 0):,} images")
    if any(other.subject.get("path") != about.get("path") for other in others):
        words.append(str(about.get("path", "")))
    return " ".join(filter(None, words))
