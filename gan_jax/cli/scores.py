"""`gan-jax compare RUN RUN ...`: tabulates scores that share a protocol."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from gan_jax.cli.output import print_table
from gan_jax.errors import BadInput
from gan_jax.evaluation import protocol, tables
from gan_jax.runs.files import write_atomic
from gan_jax.viz import charts
from gan_jax.viz.images import save_png


def compare_results(
    files: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN|RESULT")],
    out: Path | None = None,
) -> None:
    """Tabulates the scores of runs or images. Scores of different protocols are refused.

    Args:
        files: Folders of evaluated runs, or .json files that gan-jax evaluate wrote.
        out: Markdown file (.md) to write the table to, with a picture of precision and recall beside it.
    """
    paths = [file / "evaluation.json" if file.is_dir() else file for file in files]
    if out and out.suffix != ".md":
        raise BadInput(f"--out {out}: the table is written as Markdown, give a name that ends in .md")
    results = [protocol.read(path) for path in paths]
    protocol.check_comparable(paths, results)
    rows = tables.rows(results)
    protocols = dict.fromkeys(protocol.describe(s["protocol"]) for result in results for s in result.scores.values())
    if out:
        write_atomic(out, "\n".join([tables.markdown(rows), *protocols, ""]).encode())
    print_table(tables.terminal(rows))
    print("\n" + "\n".join(protocols))
    if out:
        print(f"\ntable       {out}")
        _draw_precision_recall(rows, out.with_suffix(".png"))


def _draw_precision_recall(rows: Sequence[tables.Row], file: Path) -> None:
    """Draws the precision and recall of the rows that have them, if any."""
    points = {
        row.name: (row.values["precision"].mean, row.values["recall"].mean)
        for row in rows
        if row.values.keys() >= {"precision", "recall"}
    }
    if points:
        save_png(file, charts.precision_recall_plot(points))
        print(f"picture     {file}")


def is_result(name: str) -> bool:
    """Whether a word names a result file or a run, not an experiment."""
    return name.endswith(".json") or Path(os.path.expanduser(name), "manifest.json").exists()
