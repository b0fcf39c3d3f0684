"""Charts of metrics: drawn values, layout and errors."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from gan_jax.errors import BadInput
from gan_jax.viz import charts
from gan_jax.viz.charts import class_balance, metric_curves, precision_recall_plot, with_neighbors
from gan_jax.viz.images import COLORS

DIGITS = tuple("0123456789")
MANY = tuple(f"{mode:03d}" for mode in range(1000))


@pytest.fixture
def drawn(monkeypatch):
    """Collects the matplotlib figures of all charts, in order."""
    figures = []

    class Canvas(charts.FigureCanvasAgg):
        def __init__(self, figure):
            super().__init__(figure)
            figures.append(figure)

    monkeypatch.setattr(charts, "FigureCanvasAgg", Canvas)
    return figures


def has(picture, color):
    """Tells whether some pixels of the picture have a color."""
    wanted = np.rint(255 * np.array(to_rgb(color)))
    return bool((np.abs(picture.astype(int) - wanted).max(axis=-1) <= 1).sum() > 20)


def readable(figure):
    """Yields every visible text of a figure, without labels of ticks outside the view."""
    for axes in figure.axes:
        yield from (axes.xaxis.label, axes.yaxis.label)
        yield from (text for text in axes.get_children() if isinstance(text, Text))
        for axis in (axes.xaxis, axes.yaxis):
            low, high = axis.get_view_interval()
            yield from (tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high)
    for legend in figure.legends:
        yield from legend.get_texts()


def texts_overlap(figure):
    """Tells whether texts overlap; slanted ones do if their line height exceeds their distance."""
    texts = [text for text in readable(figure) if text.get_text()]
    slanted = [text for text in texts if text.get_rotation() == 45]
    boxes = [text.get_window_extent() for text in texts if text not in slanted]
    at = sorted(text.get_transform().transform(text.get_position())[0] for text in slanted)
    height = max((text.get_fontsize() * figure.dpi / 72 for text in slanted), default=0)
    crowded = (np.diff(at) * np.sqrt(0.5) < height).any()
    return crowded or any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def overlaps_or_is_cut(figure):
    """Tells whether a legend overlaps the axes, or something is cut off."""
    whole = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
    inside = whole.x0 >= 0 and whole.y0 >= 0 and whole.x1 <= figure.bbox.x1 and whole.y1 <= figure.bbox.y1
    boxes = [axes.get_window_extent() for axes in figure.axes]
    return not inside or any(legend.get_window_extent().overlaps(box) for legend in figure.legends for box in boxes)


@pytest.mark.parametrize(("size", "channels", "scale"), [(28, 1, 2), (32, 3, 2), (8, 3, 8), (70, 1, 1)])
def test_samples_are_drawn_left_of_their_neighbors(size, channels, scale):
    rng = np.random.default_rng(0)
    samples = rng.integers(0, 200, (2, size, size, channels), np.uint8)
    neighbors = rng.integers(0, 200, (2, 3, size, size, channels), np.uint8)
    picture = with_neighbors(samples, neighbors)
    assert picture.dtype == np.uint8 and picture.shape[-1] == 3
    side = scale * size
    top, left = 12 + 20 + 2, 12 + 2  # margin of the sheet, caption, margin of the grid

    def at(row, column):
        cell = picture[top + row * (side + 2) :, left + column :][:side, :side]
        return cell[::scale, ::scale], cell

    gap = side // 4 + 2
    for row in range(2):
        for column, image in [(0, samples[row])] + [
            (side + gap + 2 + k * (side + 2), neighbors[row, k]) for k in range(3)
        ]:
            small, cell = at(row, column)
            np.testing.assert_array_equal(small, np.broadcast_to(image, (size, size, 3)))
            np.testing.assert_array_equal(cell, small.repeat(scale, axis=0).repeat(scale, axis=1))
        assert (at(row, side)[1][:, : gap + 2] == 255).all()


def test_bar_heights_are_the_class_shares(drawn):
    rng = np.random.default_rng(0)
    shares = {"plain": rng.dirichlet(np.ones(10)), "packed": rng.dirichlet(np.ones(10))}
    picture = class_balance(shares, DIGITS, np.full(10, 0.1))
    [axes] = drawn[0].axes
    heights = {bars.get_label(): [bar.get_height() for bar in bars] for bars in axes.containers}
    assert list(heights) == ["real images", "plain", "packed"]
    for name, share in {"real images": np.full(10, 0.1), **shares}.items():
        np.testing.assert_allclose(heights[name], share)
    middles = np.mean([[bar.get_x() + bar.get_width() / 2 for bar in bars] for bars in axes.containers], axis=0)
    np.testing.assert_allclose(middles, np.arange(10), atol=1e-9)  # bars are centered on the class
    assert [tick.get_text() for tick in axes.get_xticklabels()] == list(DIGITS)
    assert all(has(picture, color) for color in ("0.7", *COLORS[:2])) and not has(picture, COLORS[2])


def test_shares_of_many_classes_are_sorted_and_drawn_classes_counted(drawn):
    share = np.zeros(1000)
    share[np.random.default_rng(0).permutation(1000)[:250]] = np.linspace(1, 3, 250) / 500
    class_balance({"plain": share}, MANY, np.full(1000, 1e-3))
    real, plain = drawn[0].axes[0].lines
    assert real.get_label() == "real images: 1000 of 1000 classes"
    assert plain.get_label() == "plain: 250 of 1000 classes"
    np.testing.assert_array_equal(plain.get_xdata(), np.arange(1, 251))
    np.testing.assert_allclose(plain.get_ydata(), np.linspace(3, 1, 250) / 500)


def test_points_have_their_coordinates_and_distinct_styles(drawn):
    points = {f"model {i}": (i / 41, 1 - i / 41) for i in range(42)}
    precision_recall_plot(points)
    [axes] = drawn[0].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("precision", "recall")
    assert axes.get_xlim() == axes.get_ylim() == (0, 1)
    found = {line.get_label(): (line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines}
    assert found == points
    assert len({(line.get_color(), line.get_marker()) for line in axes.lines}) == 42


def test_axes_extend_to_densities_above_1(drawn):
    precision_recall_plot({"a": (1.4, 0.5), "b": (0.2, 0.3)}, axes=("density", "coverage"))
    [axes] = drawn[0].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("density", "coverage")
    assert axes.get_xlim()[1] > 1.4 and axes.get_ylim() == (0, 1)
    across, up = np.diff(axes.transData.transform([[0, 0], [1, 1]]), axis=0)[0]
    assert across == pytest.approx(up)


RECORDS = [
    {"images": 1000, "frechet_distance": 30.0, "modes": 400},
    {"images": 2000, "frechet_distance": 12.5, "modes": 900.0},
    {"images": 3000, "frechet_distance": float("nan")},
    {"images": 4000, "frechet_distance": 14.0, "modes": 700},
]


def test_best_value_of_a_metric_is_marked(drawn):
    metric_curves(RECORDS, ("frechet_distance", "modes"), frozenset(("modes",)))
    distance, modes = drawn[0].axes
    assert (distance.get_title(loc="left"), modes.get_title(loc="left")) == ("frechet distance ↓", "modes ↑")
    assert (distance.get_title(loc="right"), modes.get_title(loc="right")) == ("best 12.5 at 2k", "best 900 at 2k")
    for axes, values in (distance, [30, 12.5, 14]), (modes, [400, 900, 700]):
        line, ring = axes.lines
        assert (list(line.get_xdata()), list(line.get_ydata())) == ([1000, 2000, 4000], values)
        assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (2000, values[1])


def everything():
    rng = np.random.default_rng(0)
    yield lambda: with_neighbors(np.zeros((1, 28, 28, 1), np.uint8), np.zeros((1, 1, 28, 28, 1), np.uint8))
    yield lambda: class_balance({"a": np.full(10, 0.1)}, tuple(f"automobile{i}" for i in range(10)), np.full(10, 0.1))
    fifty = rng.dirichlet(np.ones(50))
    yield lambda: class_balance({"a": fifty}, tuple(f"class {i}" for i in range(50)), fifty)
    thousand = rng.dirichlet(np.ones(1000))
    yield lambda: class_balance({"relativistic_paired, r1:0.1+r2:0.1": thousand, "b": thousand}, MANY, thousand)
    yield lambda: precision_recall_plot({"a": (0.5, 0.5), "relativistic_paired, r1:0.1+r2:0.1": (0.5, 0.5)})
    yield lambda: metric_curves(RECORDS, ("modes", "frechet_distance", "modes"), frozenset(("modes",)))
    yield lambda: metric_curves(RECORDS[:1], ("modes",), frozenset())


@pytest.mark.medium
@pytest.mark.parametrize("draw", list(everything()))
def test_pictures_are_deterministic_without_cut_or_overlapping_text(draw, drawn):
    first, again = draw(), draw()
    assert first.dtype == np.uint8 and first.shape[-1] == 3
    np.testing.assert_array_equal(first, again)
    assert not any(texts_overlap(figure) for figure in drawn)
    assert not any(overlaps_or_is_cut(figure) for figure in drawn)


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (
            lambda: with_neighbors(np.zeros((0, 4, 4, 1), np.uint8), np.zeros((0, 2, 4, 4, 1), np.uint8)),
            "cannot be drawn",
        ),
        (lambda: with_neighbors(np.zeros((3, 4, 4, 1), np.uint8), np.zeros((2, 2, 4, 4, 1), np.uint8)), r"\[3, 4"),
        (lambda: class_balance({"a": np.zeros(9)}, DIGITS, np.zeros(10)), r"a: shares \[9\] must be 10"),
        (lambda: class_balance({"a": np.zeros(10)}, DIGITS, np.zeros(9)), r"real images: shares \[9\]"),
        (lambda: class_balance({"a": np.full(10, np.nan)}, DIGITS, np.zeros(10)), "finite"),
        (lambda: precision_recall_plot({}), "one finite point or more"),
        (lambda: precision_recall_plot({"a": (0.5, float("nan"))}), "one finite point or more"),
        (lambda: metric_curves(RECORDS, (), frozenset()), "no metrics"),
        (lambda: metric_curves(RECORDS, ("kernel_distance",), frozenset()), "no record has a finite kernel_distance"),
    ],
)
def test_invalid_input_is_refused(draw, says):
    with pytest.raises(BadInput, match=says) as error:
        draw()
    assert "\n" not in str(error.value)
