"""Draws curves of a run's metrics."""

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from gan_jax.runs.files import CLOCK, write_atomic
from gan_jax.viz.images import COLORS

PANELS = (
    ("loss", "losses"),
    ("score", "scores (logits)"),
    ("accuracy", "accuracy of discriminators"),
    ("norm", "norms of gradients"),
)
"""A part of a metric's name after `player/`, and the title of its panel."""


def save_curves(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Draws the records of `metrics.jsonl` over real images shown: one panel per group of `PANELS` and per score.

    A player has one color in all panels. Missing and non-finite points are left out.
    """
    numbers = (name for record in records for name, value in record.items() if isinstance(value, int | float))
    names = [name for name in dict.fromkeys(numbers) if name not in CLOCK]
    players = list(dict.fromkeys(_player(name) for name in names))
    panels = [(title, [name for name in names if "/" in name and word in _what(name)]) for word, title in PANELS]
    panels += [(name.replace("_", " "), [name]) for name in names if "/" not in name]
    panels = [(title, lines) for title, lines in panels if lines] or [("nothing recorded yet", [])]
    rows, cols = math.ceil(len(panels) / 2), min(len(panels), 2)
    figure = Figure(figsize=(6 * cols, 3.2 * rows), dpi=120, layout="constrained")
    for index, (title, lines) in enumerate(panels):
        axes = figure.add_subplot(rows, cols, index + 1)
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
        axes.set_xlabel("real images shown")
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.grid(color="0.9")
        axes.spines[["top", "right"]].set_visible(False)
        if "norm" in title and any(_finite(r.get(name)) and r[name] > 0 for r in records for name in lines):
            axes.set_yscale("log")
        if "accuracy" in title:
            axes.set_ylim(-0.03, 1.03)
        for name in lines:
            points = [(r["images"], float(r[name])) for r in records if _finite(r.get(name)) and "images" in r]
            second = sum(_player(other) == _player(name) for other in lines[: lines.index(name)])
            axes.plot(
                *zip(*points, strict=True) if points else ((), ()),
                color=COLORS[players.index(_player(name)) % len(COLORS)],
                linestyle=("-", "--", ":", "-.")[second % 4],
                linewidth=1.3,
                marker="." if len(points) == 1 else None,
                label=f"{_player(name)} {_what(name).replace('_', ' ')}".strip(),
            )
        if lines:
            axes.legend(loc="upper left", bbox_to_anchor=(0, -0.18), fontsize=8, frameon=False, ncols=4)
    png = io.BytesIO()
    FigureCanvasAgg(figure).print_png(png, metadata={"Software": None})
    write_atomic(Path(path), png.getvalue())


def _player(name: str) -> str:
    return name.rpartition("/")[0]


def _what(name: str) -> str:
    return name.rpartition("/")[2]


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
