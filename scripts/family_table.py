"""Tabulates families of GANs: scores over seeds, at the end and at the best checkpoint, and speed.

    python scripts/family_table.py runs/families/*-? --out table.md --sheet experiments/gallery/families.png

Takes run folders with `end.json` and, if the run kept its best checkpoint, `best.json`, as written by
`gan-jax evaluate RUN --out RUN/end.json` and `gan-jax evaluate RUN --best --out RUN/best.json`. Seconds per 1,000
images are those of the median logged chunk, which excludes compilation and evaluation. The sheet shows the last samples
of every family's first run.
"""

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from gan_jax.errors import BadInput
from gan_jax.evaluation import protocol
from gan_jax.evaluation.seed_statistics import format_number, format_spread, summarize
from gan_jax.runs.run_dir import RunDir
from gan_jax.viz.images import contact_sheet, save_png

COLUMNS = {
    "fid": ("fid", "Fréchet ↓"),
    "precision": ("prdc", "precision ↑"),
    "recall": ("prdc", "recall ↑"),
    "reverse_kl_classes": ("modes", "reverse KL of classes ↓"),
    "label_accuracy": ("label_accuracy", "label accuracy ↑"),
    "code_accuracy": ("code_accuracy", "code accuracy ↑"),
}
"""By value: its metric, and its heading."""


class Run(NamedTuple):
    """The data of a run for the table."""

    folder: RunDir
    family: str
    seed: int
    images: int
    pace: float
    """Seconds per 1,000 images."""
    end: Mapping[str, float]
    best: Mapping[str, float]


def read(path: Path) -> Run:
    """Reads a trained and evaluated run."""
    folder = RunDir(path)
    manifest, records = folder.read(), folder.records()
    seconds, images = (np.diff([record[name] for record in records]) for name in ("seconds", "images"))
    end, best = (scores(path / f"{name}.json") for name in ("end", "best"))
    family = manifest.name
    pace = 1000 * float(np.median(seconds / images))
    return Run(folder, family, manifest.settings["seed"], records[-1]["images"], pace, end, best)


def scores(file: Path) -> dict[str, float]:
    """Reads the values of a file of results; none if there is no file."""
    if not file.exists():
        return {}
    found = protocol.read(file).scores
    return {name: found[metric][name] for name, (metric, _) in COLUMNS.items() if metric in found}


def table(runs: Sequence[Run]) -> str:
    """Formats the table as Markdown, one row per family, in the order of the runs."""
    families = defaultdict(list)
    for run in runs:
        families[run.family].append(run)
    heads = [head for _, head in COLUMNS.values()]
    lines = [["family", "seeds", "images", "s / 1,000 images", heads[0], "best Fréchet ↓", *heads[1:]]]
    for family, same in families.items():
        pace = summarize({run.seed: run.pace for run in same}, higher=False)
        cells = [over_seeds(same, "end", name) for name in COLUMNS]
        best = over_seeds(same, "best", "fid")
        images = f"{same[0].images:,}"
        lines.append([f"`{family}`", str(len(same)), images, format_number(pace.mean), cells[0], best, *cells[1:]])
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def over_seeds(runs: Sequence[Run], when: str, name: str) -> str:
    """Formats the mean ± standard deviation of a value; empty if no run has it."""
    values = {run.seed: getattr(run, when)[name] for run in runs if name in getattr(run, when)}
    return format_spread(summarize(values, higher=False)) if values else ""


def sheet(runs: Sequence[Run]) -> UInt8[np.ndarray, "H W 3"]:
    """Draws the last samples of every family's first run, each under its name."""
    first = {run.family: run for run in reversed(runs)}
    families = list(dict.fromkeys(run.family for run in runs))
    files = [max(first[family].folder.samples.glob("*.png")) for family in families]
    grids = [np.atleast_3d(np.asarray(Image.open(file))) for file in files]
    return contact_sheet(grids, families, cols=3)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sheet", type=Path)
    flags = parser.parse_args()
    try:
        runs = [read(run) for run in flags.runs]
    except BadInput as error:
        parser.error(str(error))
    print(table(runs))
    if flags.out:
        flags.out.write_text(table(runs))
    if flags.sheet:
        save_png(flags.sheet, sheet(runs))
