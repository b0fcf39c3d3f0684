"""Draws points in the plane. NumPy arrays in, pictures out.

Axes lie at fixed pixels, so pictures with one extent can be the frames of an animation.
"""

import itertools
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gan_jax.viz.images import COLORS

Points = Float[np.ndarray, "_ 2"]
Extent = tuple[float, float, float, float]
"""Left, right, bottom, top; if it is not square, the picture is stretched."""

REAL, FAKE, FRAME = "0.45", COLORS[1], "0.6"
SCORES = LinearSegmentedColormap.from_list("scores", ["#8fbfe0", "#d9e8f2", "#ffffff", "#fbe6c2", "#f3c878"])
"""From blue (scored fake) to yellow (scored real); pale, because points lie on top."""


def extent_of(points: Points, margin: float = 0.15) -> Extent:
    """Returns the square around all finite points, with a margin on each side; around one point, 2 wide."""
    points = points[np.isfinite(points).all(axis=1)].astype(float)
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, (0.5 + margin) * float((high - low).max()) or 1.0
    return (float(middle[0]) - half, float(middle[0]) + half, float(middle[1]) - half, float(middle[1]) + half)


def grid_points(extent: Extent, n: int) -> Float[np.ndarray, "{n} {n} 2"]:
    """Returns the centers of `n x n` equal cells, float32 `[row, column, xy]` from bottom left."""
    left, right, bottom, top = extent
    ticks = (np.arange(n, dtype=np.float32) + 0.5) / n
    x, y = np.meshgrid(left + (right - left) * ticks, bottom + (top - bottom) * ticks)
    return np.stack([x, y], axis=-1).astype(np.float32)


def scatter(
    real: Points,
    fake: Points,
    field: Float[np.ndarray, "n n"] | None = None,
    arrows: Float[np.ndarray, "k k 2"] | None = None,
    extent: Extent | None = None,
) -> UInt8[np.ndarray, "H W 3"]:
    """Draws real points in gray and samples over them in color.

    Args:
        real: real points; some thousands are enough.
        fake: samples; those outside of the extent or not finite are left out.
        field: the discriminator's scores at `grid_points(extent, n)`, drawn as background with level lines. White is 0;
            colors saturate at the 98 % quantile of the absolute score.
        arrows: the direction in which samples are pushed, at `grid_points(extent, k)`: minus the gradient of the
            generator's loss, or the gradient of the score. Lengths are relative; the longest tenth are clipped.
        extent: the visible square, by default `extent_of(real)`.

    Values that are not finite, of a diverged network, are drawn as score 0 or no arrow.
    """
    extent = extent or extent_of(real)
    canvas, axes = _plane(extent)
    if field is not None:
        _draw_field(axes, field, extent)
    axes.plot(*real.T, ".", color=REAL, markersize=2, markeredgewidth=0, alpha=0.5)
    if arrows is not None:
        _draw_arrows(axes, arrows, extent)
    axes.plot(*fake.T, ".", color=FAKE, markersize=3.5, markeredgewidth=0, alpha=0.7)
    return _pixels(canvas)


def trajectories(
    paths: Mapping[str, Float[np.ndarray, "_ 2"]],
    arrows: Float[np.ndarray, "k k 2"] | None = None,
    extent: Extent | None = None,
) -> UInt8[np.ndarray, "H W 3"]:
    """Draws paths (theta, psi) of the Dirac-GAN around its equilibrium (0, 0): a ring at the start, a dot at the end.

    Args:
        paths: by name, `[steps, 2]` each, of any length; the name "" gets no legend.
        arrows: minus the joint gradient field, as in `scatter`.
        extent: the visible square, by default `extent_of` all paths.
    """
    extent = extent or extent_of(np.concatenate(list(paths.values())))
    canvas, axes = _plane(extent)
    axes.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    axes.axvline(0, color="0.8", linewidth=0.8, zorder=0)
    if arrows is not None:
        _draw_arrows(axes, arrows, extent)
    for (name, path), color in zip(paths.items(), itertools.cycle(COLORS), strict=False):
        axes.plot(*path.T, color=color, linewidth=1.2, label=name)
        axes.plot(*path[0], "o", color=color, markersize=5, markerfacecolor="white")
        axes.plot(*path[-1], "o", color=color, markersize=5)
    if any(paths):
        axes.legend(loc="upper right", fontsize=7, framealpha=0.9, edgecolor="0.8")
    label = {"fontsize": 9, "color": "0.3", "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1}}
    axes.text(0.985, 0, "θ", transform=axes.get_yaxis_transform(), ha="right", va="center", **label)
    axes.text(0, 0.985, "ψ", transform=axes.get_xaxis_transform(), ha="center", va="top", **label)
    return _pixels(canvas)


def _plane(extent: Extent) -> tuple[FigureCanvasAgg, Axes]:
    """Creates empty axes at a fixed place in a picture of 480 x 480 pixels."""
    figure = Figure(figsize=(4, 4), dpi=120)
    axes = figure.add_axes((0.07, 0.05, 0.91, 0.93), xlim=extent[:2], ylim=extent[2:])
    axes.tick_params(labelsize=6, length=2, pad=2, color=FRAME, labelcolor="0.35")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.spines[:].set_color(FRAME)
    return FigureCanvasAgg(figure), axes


def _draw_field(axes: Axes, field: Float[np.ndarray, "n n"], extent: Extent) -> None:
    field = _finite(field)
    full = max(float(np.quantile(np.abs(field), 0.98)), 1e-12)
    image = {"extent": extent, "origin": "lower", "aspect": "auto", "interpolation": "bilinear"}
    axes.imshow(field, cmap=SCORES, vmin=-full, vmax=full, **image)
    at = grid_points(extent, field.shape[0])
    axes.contour(at[..., 0], at[..., 1], field, levels=9, colors="0.65", linewidths=0.4, linestyles="solid")


def _draw_arrows(axes: Axes, arrows: Float[np.ndarray, "k k 2"], extent: Extent) -> None:
    at = grid_points(extent, arrows.shape[0])
    arrows = _finite(arrows)
    length = np.linalg.norm(arrows, axis=-1, keepdims=True)
    cells = arrows / np.maximum(length, max(float(np.quantile(length, 0.9)), 1e-12))  # at most 1 long
    size = {"scale": 1.1 * arrows.shape[0], "scale_units": "width", "width": 0.0025, "headwidth": 4, "headlength": 4.5}
    axes.quiver(at[..., 0], at[..., 1], cells[..., 0], cells[..., 1], pivot="mid", color="0.35", **size)


def _finite(values: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    return np.nan_to_num(values.astype(float), nan=0, posinf=0, neginf=0)


def _pixels(canvas: FigureCanvasAgg) -> UInt8[np.ndarray, "h w 3"]:
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]
