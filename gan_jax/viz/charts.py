"""Draws charts of scores. NumPy arrays in, pictures out; equal inputs give equal pixels."""

import itertools
import math
from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from gan_jax.errors import BadInput
from gan_jax.viz.images import COLORS, WHITE, contact_sheet, image_grid

Picture = UInt8[np.ndarray, "height width 3"]
Shares = Float[np.ndarray, " _"]

REAL = "0.7"
"""The gray of real data in all pictures."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""Seven markers for six colors, so 42 points look different."""

BARS = 50
"""Largest number of classes drawn as bars with names."""

PIXELS = 64
"""Smaller images are enlarged up to this side."""

LINE = 0.2
"""Height of a legend's line, in inches."""


def with_neighbors(
    samples: UInt8[np.ndarray, "_ H W C"],
    neighbors: UInt8[np.ndarray, "_ k H W C"],
    caption: str = "a sample, and its nearest training images",
) -> Picture:
    """Draws one row per sample: the sample, a gap, and its `k` nearest images, nearest first.

    Small images are enlarged by a whole factor: 28 x 28 pixels to 56 x 56.

    Raises:
        BadInput: no samples, no neighbors, or different numbers of both.
    """
    if not samples.size or not neighbors.size or len(samples) != len(neighbors):
        shapes = f"samples {list(samples.shape)} and neighbors {list(neighbors.shape)}"
        raise BadInput(f"{shapes} cannot be drawn: give [N, H, W, C] and [N, k, H, W, C]")
    n, k = neighbors.shape[:2]
    scale = max(1, PIXELS // max(samples.shape[1:3]))
    left = image_grid(samples, n, 1, scale=scale)
    right = image_grid(neighbors.reshape(-1, *samples.shape[1:]), n, k, scale=scale)
    gap = np.full((len(left), samples.shape[2] * scale // 4, left.shape[2]), WHITE, np.uint8)
    return contact_sheet([np.concatenate([left, gap, right], axis=1)], [caption], cols=1)


def class_balance(shares: Mapping[str, Shares], classes: Sequence[str], reference: Shares) -> Picture:
    """Draws the shares of classes among samples beside those in the real data.

    Up to 50 classes are bars. More are a line of shares in falling order, which ends at the last class that occurs; the
    legend counts the classes that occur.

    Args:
        shares: by the name of a model, the share of each class, `[K]`.
        classes: the names of the classes.
        reference: the shares in the real data, `[K]`.

    Raises:
        BadInput: not one finite share per class.
    """
    all_shares = {"real images": reference, **shares}
    for name, share in all_shares.items():
        if share.shape != (len(classes),) or not np.isfinite(share).all():
            raise BadInput(f"{name}: shares {list(share.shape)} must be {len(classes)} finite numbers, one per class")
    return (_bars if len(classes) <= BARS else _ranks)(all_shares, classes)


def _bars(shares: dict[str, Shares], classes: Sequence[str]) -> Picture:
    figure = _figure(max(6.0, len(classes) * (0.16 + 0.06 * len(shares))), 3.2 + LINE * len(shares))
    axes = _axes(figure, "class", "share of images")
    width = 0.8 / len(shares)
    for i, (name, share) in enumerate(shares.items()):
        at = np.arange(len(classes)) + (i - (len(shares) - 1) / 2) * width
        axes.bar(at, share, width, color=_color(i), label=name)
    slanted = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if max(map(len, classes)) > 3 else {}
    axes.set_xticks(range(len(classes)), classes, **slanted)
    axes.set_xlim(-0.6, len(classes) - 0.4)
    axes.grid(visible=False, axis="x")
    axes.yaxis.set_major_formatter(_percent)
    _legend(figure)
    return _pixels(figure)


def _ranks(shares: dict[str, Shares], classes: Sequence[str]) -> Picture:
    figure = _figure(6.0, 3.6 + LINE * len(shares))
    axes = _axes(figure, "classes, in each line's own order", "share of images")
    axes.set_yscale("log")
    for i, (name, share) in enumerate(shares.items()):
        drawn = np.sort(share[share > 0])[::-1]
        label = f"{name}: {len(drawn)} of {len(classes)} classes"
        axes.plot(np.arange(1, len(drawn) + 1), drawn, color=_color(i), linewidth=1.6 if i else 4, label=label)
    axes.set_xlim(0, len(classes) + 1)
    axes.yaxis.set_major_formatter(_percent)
    _legend(figure)
    return _pixels(figure)


def precision_recall_plot(
    points: Mapping[str, tuple[float, float]], axes: tuple[str, str] = ("precision", "recall")
) -> Picture:
    """Draws models as points in the unit square, with `(1, 1)` the best.

    Args:
        points: precision (x) and recall (y) by the name of a model.
        axes: labels of the axes; with `("density", "coverage")` x may exceed 1.

    Raises:
        BadInput: no points, or one that is not finite.
    """
    if not points or not np.isfinite(list(points.values())).all():
        raise BadInput(f"{axes[0]} and {axes[1]} of {dict(points)} cannot be drawn: give one finite point or more")
    widest = max(x for x, _ in points.values())
    right = 1.05 * widest if widest > 1 else 1.0
    figure = _figure(0.9 + 3.6 * right, 4.3 + LINE * len(points))
    square = _axes(figure, *axes)
    square.set(xlim=(0, right), ylim=(0, 1), aspect="equal")
    for (name, (x, y)), color, marker in zip(
        points.items(), itertools.cycle(COLORS), itertools.cycle(MARKERS), strict=False
    ):
        square.plot(x, y, marker, color=color, markersize=8, markeredgecolor="white", clip_on=False, label=name)
    _legend(figure)
    return _pixels(figure)


def metric_curves(records: Sequence[Mapping[str, Any]], names: Sequence[str], higher: Set[str]) -> Picture:
    """Draws metrics over real images shown, one panel each, with the best value ringed and printed.

    Args:
        records: `images` and metrics by name; missing and non-finite values leave a gap.
        names: the metrics to draw.
        higher: the metrics where higher is better.

    Raises:
        BadInput: no names, or a metric without finite values.
    """
    if not names:
        raise BadInput("no metrics to draw: give at least one name")
    rows, cols = math.ceil(len(names) / 2), min(len(names), 2)
    figure = _figure(5.2 * cols, 3.0 * rows)
    count = EngFormatter(sep="")
    for index, name in enumerate(names):
        found = [(r["images"], float(r[name])) for r in records if name in r and math.isfinite(r[name])]
        if not found:
            raise BadInput(f"no record has a finite {name}: leave it out")
        best = (max if name in higher else min)(found, key=lambda point: point[1])
        axes = _axes(figure, "real images shown", "", (rows, cols, index + 1))
        axes.set_title(f"{name.replace('_', ' ')} {'↑' if name in higher else '↓'}", loc="left", fontweight="bold")
        axes.set_title(f"best {best[1]:.4g} at {count(best[0])}", loc="right", color=COLORS[1])
        axes.plot(*zip(*found, strict=True), marker=".", color=COLORS[0])
        axes.plot(*best, "o", color=COLORS[1], markersize=9, markerfacecolor="none", markeredgewidth=1.6)
        axes.xaxis.set_major_formatter(count)
        axes.xaxis.set_major_locator(MaxNLocator(6))
    return _pixels(figure)


def edit_curves(strengths: Sequence[float], values: Mapping[str, Sequence[float]]) -> Picture:
    """Draws what an edit changes over its strength, one panel for each of `values`."""
    figure = _figure(4.4 * len(values), 3.0)
    for index, (name, value) in enumerate(values.items(), start=1):
        axes = _axes(figure, "strength", "", (1, len(values), index))
        axes.set_title(name, loc="left", fontweight="bold")
        axes.plot(strengths, value, marker=".", color=COLORS[0])
    return _pixels(figure)


def _figure(width: float, height: float) -> Figure:
    """Creates a figure of this size in inches, with padding."""
    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    return figure


def _axes(figure: Figure, across: str, up: str, place: tuple[int, int, int] = (1, 1, 1)) -> Axes:
    axes = figure.add_subplot(*place, xlabel=across, ylabel=up)
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _legend(figure: Figure) -> None:
    """Adds a legend below the axes, one line per name."""
    figure.legend(loc="outside lower left", fontsize=9, frameon=False)


def _color(i: int) -> str:
    """Returns the color of the i-th line or bar; the first is real data."""
    return COLORS[(i - 1) % len(COLORS)] if i else REAL


def _percent(share: float, _: int) -> str:
    return f"{100 * share:.3g}%"


def _pixels(figure: Figure) -> Picture:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]
