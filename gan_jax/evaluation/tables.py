"""Tables of scores. Runs that differ only in their seed share a row."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rich.table import Table

from gan_jax.config.experiment import RESUMABLE
from gan_jax.config.user_code import shorten
from gan_jax.evaluation.pair_metrics import OF_INPUT
from gan_jax.evaluation.protocol import NOT_VALUES, Results
from gan_jax.evaluation.seed_statistics import Statistics, format_spread, summarize
from gan_jax.evaluation.suite import directions
from gan_jax.metrics.features import alexnet
from gan_jax.runs.manifest import schedule_images

ARROWS = {"higher": " ↑", "lower": " ↓"}

DIGITS = {"psnr": 4, "ssim": 4, "lpips": 4, "masked_psnr": 4, "accuracy": 4, "accuracy_reference": 4}
"""Significant digits of values of which papers give more than three."""

FRECHET = {"fid": "FD ({})", "intra_fid": "intra-class FD ({})", "fd_patches": "FD of patches ({})"}
"""Labels of Fréchet distances in `alexnet-conv5`, which sees natural images and must not be taken for the FID."""


class Row(NamedTuple):
    """One set of images, or the runs of one experiment and setting over seeds."""

    name: str
    runs: int
    values: dict[str, Statistics]
    """Statistics of every value over the runs."""
    labels: Mapping[str, str] = {}
    """Labels of values that do not go by their name."""


def rows(results: Sequence[Results]) -> list[Row]:
    """Groups results into rows; a row's name contains the settings in which it differs from rows of the same name.

    Runs of different code have different rows, unless a file of an earlier release does not say which code it was.
    """
    groups: dict[str, list[Results]] = {}
    coded = all("code" in each.subject for each in results if "settings" in each.subject)
    for each in results:
        about = each.subject
        identity = [about["name"], _settings(each), about.get("images"), about.get("path")]
        identity += [about.get("code")] if coded else []
        group = groups.setdefault(json.dumps(identity), [])
        if about.get("digest") not in [other.subject.get("digest", "none") for other in group]:  # the same run again
            group.append(each)
    return [Row(_name(group[0], results), len(group), _values(group), _labels(group[0])) for group in groups.values()]


def markdown(table: Sequence[Row]) -> str:
    """Formats rows as a Markdown table."""
    columns = _columns(table)
    heads = ["", "runs", *columns.values()]
    lines = [heads, ["---"] * len(heads)]
    lines += [[row.name, str(row.runs), *(_cell(row, name) for name in columns)] for row in table]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def terminal(table: Sequence[Row]) -> Table:
    """Formats rows for a terminal, transposed: one line per value, one column per row."""
    shown = Table(box=None, header_style="bold", pad_edge=False)
    shown.add_column("")
    for row in table:
        shown.add_column(f"{row.name}\n[dim]{row.runs} runs[/dim]" if row.runs > 1 else row.name, justify="right")
    for name, label in _columns(table).items():
        shown.add_row(label, *(_cell(row, name) for row in table))
    return shown


def _values(group: Sequence[Results]) -> dict[str, Statistics]:
    scores = [score for each in group for score in each.scores.values()]
    names = dict.fromkeys(value for score in scores for value in score if value not in NOT_VALUES)
    return {
        name: summarize({i: _value(each, name) for i, each in enumerate(group)}, directions().get(name) == "higher")
        for name in names
    }


def _labels(results: Results) -> dict[str, str]:
    """Returns the labels of Fréchet distances in `alexnet-conv5`, as in `FD (alexnet-conv5)`."""
    nets = {name: score["protocol"].get("features") for name, score in results.scores.items() if name in FRECHET}
    return {name: FRECHET[name].format(net["name"]) for name, net in nets.items() if net["name"] == alexnet.NAME}


def _value(results: Results, name: str) -> float:
    """Returns a value; null in a file stands for a value that is not finite, and is NaN."""
    found = next((scores[name] for scores in results.scores.values() if name in scores), None)
    return math.nan if found is None else float(found)


def _columns(table: Sequence[Row]) -> dict[str, str]:
    """Returns the label of every value, with an arrow in the better direction."""
    arrows = {name: ARROWS.get(better, "") for name, better in directions().items()}
    return {name: row.labels.get(name, name) + arrows.get(name, "") for row in table for name in row.values}


def _cell(row: Row, name: str) -> str:
    if name not in row.values:
        return ""
    return (
        format_spread(row.values[name], DIGITS.get(name.removesuffix(OF_INPUT), 3))
        if row.values[name].finite
        else "not finite"
    )


def _settings(results: Results) -> dict[str, Any]:
    """Returns the settings of a run that decide what is trained, except its seed."""
    free, settings = RESUMABLE | {"seed"}, results.subject.get("settings", {})
    if length := schedule_images(settings):  # runs of earlier versions do not record it
        settings = settings | {"schedule_images": length}
    return {name: value for name, value in settings.items() if name not in free}


def _name(results: Results, all_results: Sequence[Results]) -> str:
    """Names a row: its subject, and the settings that others of the same subject do not share."""
    mine, about = _settings(results), results.subject
    others = [each for each in all_results if each.subject["name"] == about["name"]]
    differ = [name for name in mine if any(_settings(other).get(name) != mine[name] for other in others)]
    words = [about["name"], *(f"--{name.replace('_', '-')} {mine[name]}" for name in differ)]
    if any(other.subject.get("images") != about.get("images") for other in others):
        words.append(f"at {about.get('images', 0):,} images")
    if any(other.subject.get("path") != about.get("path") for other in others):
        words.append(str(about.get("path", "")))
    if any(other.subject.get("code") != about.get("code") for other in others):
        words += _code_words(about, [other.subject for other in others])
    return " ".join(filter(None, words))


def _code_words(about: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names the experiment's file where others have another one, and the digest of the code where it was edited."""
    files = [each.get("file", "") for each in (about, *others)]
    edited = any(each.get("file", "") == files[0] and each.get("code") != about.get("code") for each in others)
    return [shorten(files)[0] if len(set(files)) > 1 else "", f"code {about.get('code', '')[:8]}" if edited else ""]
