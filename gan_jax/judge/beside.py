"""`gan-jax compare RESULT.json RESULT.json ...`: scores beside each other, where one protocol measured them."""

from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from gan_jax import pictures
from gan_jax.errors import BadInput
from gan_jax.evaluate import charts
from gan_jax.judge import results, table
from gan_jax.whole_file import write_whole


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
    found = [results.read(path) for path in paths]
    results.check_comparable(paths, found)
    rows = table.rows(found)
    told = dict.fromkeys(results.told(score["protocol"]) for each in found for score in each.scores.values())
    Console(highlight=False).print(table.terminal(rows))
    print("\n" + "\n".join(told))
    if out:
        write_whole(out, "\n".join([table.markdown(rows), *told, ""]).encode())
        print(f"\ntable       {out}")
        points = {
            row.name: (row.values["precision"].mean, row.values["recall"].mean)
            for row in rows
            if row.values.keys() >= {"precision", "recall"}
        }
        if points:
            pictures.save_png(out.with_suffix(".png"), charts.precision_recall_plot(points))
            print(f"picture     {out.with_suffix('.png')}")


def are_results(name: str) -> bool:
    """Whether a name is that of results or of a run, and not of an experiment."""
    return name.endswith(".json") or (Path(name) / "manifest.json").exists()
