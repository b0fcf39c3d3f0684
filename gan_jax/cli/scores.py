"""`gan-jax compare RESULT.json RESULT.json ...`: scores beside each other, where one protocol measured them."""

from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from gan_jax.errors import BadInput
from gan_jax.evaluation import protocol, tables
from gan_jax.runs.files import write_atomic
from gan_jax.viz import charts
from gan_jax.viz.images import save_png


def compare_results(
    files: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RESULT")],
    out: Path | None = None,
) -> None:
    """Puts scores of runs or image folders into one table; refuses those of different protocols.

    Args:
        files: What gan-jax evaluate wrote, or the folders of runs that it evaluated.
        out: Write the table to this .md file too, and precision and recall as a picture beside it.
    """
    paths = [file / "evaluation.json" if file.is_dir() else file for file in files]
    if out and out.suffix != ".md":
        raise BadInput(f"--out {out}: the table is written as Markdown, give a name that ends in .md")
    found = [protocol.read(path) for path in paths]
    protocol.check_comparable(paths, found)
    rows = tables.rows(found)
    told = dict.fromkeys(protocol.describe(score["protocol"]) for each in found for score in each.scores.values())
    Console(highlight=False).print(tables.terminal(rows))
    print("\n" + "\n".join(told))
    if out:
        write_atomic(out, "\n".join([tables.markdown(rows), *told, ""]).encode())
        print(f"\ntable       {out}")
        points = {
            row.name: (row.values["precision"].mean, row.values["recall"].mean)
            for row in rows
            if row.values.keys() >= {"precision", "recall"}
        }
        if points:
            save_png(out.with_suffix(".png"), charts.precision_recall_plot(points))
            print(f"picture     {out.with_suffix('.png')}")


def is_result(name: str) -> bool:
    """Whether a name is that of results or of a run, and not of an experiment."""
    return name.endswith(".json") or (Path(name) / "manifest.json").exists()
