"""Scatter plots: positions and colors of points, fields, arrows and trajectories."""

import numpy as np
import pytest

from gan_jax.viz import scatter2d
from gan_jax.viz.scatter2d import extent_of, grid_points, scatter, trajectories

EXTENT = (-2.0, 2.0, -1.0, 3.0)
NOTHING = np.zeros((0, 2))


def at(x, y):
    """Returns row and column of a point in a picture of EXTENT, whose axes have a fixed place."""
    left, bottom, width, height = 0.07 * 480, 0.05 * 480, 0.91 * 480, 0.93 * 480
    return round(480 - bottom - (y + 1) / 4 * height), round(left + (x + 2) / 4 * width)


def near(picture, x, y, reach=2):
    row, column = at(x, y)
    return picture[row - reach : row + reach + 1, column - reach : column + reach + 1].astype(int).reshape(-1, 3)


def is_gray(pixels):
    return bool(((np.ptp(pixels, axis=1) < 8) & (pixels.min(axis=1) < 220)).any())


def is_orange(pixels):
    return bool((pixels[:, 0] - pixels[:, 2] > 80).any())


@pytest.mark.medium
def test_points_have_the_right_position_and_color():
    real, fake = np.array([[-1.0, 0.0], [1.0, 2.0]]), np.array([[0.5, 1.5], [np.nan, 0.0], [100.0, 0.0]])
    picture = scatter(real, fake, extent=EXTENT)
    assert picture.shape == (480, 480, 3) and picture.dtype == np.uint8
    for x, y in real:
        assert is_gray(near(picture, x, y)) and not is_orange(near(picture, x, y))
    assert is_orange(near(picture, 0.5, 1.5))
    assert (near(picture, -1.0, 2.0) == 255).all()


def test_samples_are_drawn_over_real_points():
    assert is_orange(near(scatter(np.zeros((1, 2)), np.zeros((1, 2)), extent=EXTENT), 0, 0, reach=1))


def test_field_is_yellow_at_high_and_blue_at_low_scores():
    picture = scatter(NOTHING, NOTHING, field=grid_points(EXTENT, 40)[..., 0], extent=EXTENT)  # the score is x
    right, left = near(picture, 1.7, 1.1).mean(axis=0), near(picture, -1.7, 1.1).mean(axis=0)
    assert right[0] > right[2] + 30 and left[2] > left[0] + 30
    picture = scatter(NOTHING, NOTHING, field=grid_points(EXTENT, 40)[..., 1] - 1, extent=EXTENT)  # the score is y - 1
    up, down = near(picture, 0.1, 2.7).mean(axis=0), near(picture, 0.1, -0.7).mean(axis=0)
    assert up[0] > up[2] + 30 and down[2] > down[0] + 30


def test_arrows_have_the_given_directions_and_bounded_length(monkeypatch):
    drawn = []
    draw = scatter2d.Axes.quiver
    monkeypatch.setattr(scatter2d.Axes, "quiver", lambda axes, *a, **k: drawn.append(draw(axes, *a, **k)) or drawn[-1])
    towards = -grid_points(EXTENT, 5)
    towards[0, 0] *= 1000  # one arrow that would dwarf the others
    scatter(NOTHING, NOTHING, arrows=towards, extent=EXTENT)
    (quiver,) = drawn
    np.testing.assert_allclose(quiver.get_offsets(), grid_points(EXTENT, 5).reshape(-1, 2), atol=1e-6)
    u = np.stack([quiver.U, quiver.V], axis=1)
    wanted = towards.reshape(-1, 2)
    np.testing.assert_allclose(u[:, 0] * wanted[:, 1], u[:, 1] * wanted[:, 0], atol=1e-3)
    assert ((u * wanted).sum(1) >= 0).all()
    length = np.linalg.norm(u, axis=1)
    assert length.max() <= 1 + 1e-6 and np.median(length) > 0.3


def test_zero_fields_and_arrows_are_drawn():
    scatter(NOTHING, NOTHING, np.zeros((8, 8)), np.zeros((4, 4, 2)), EXTENT)


def test_diverged_input_is_drawn_without_warnings(recwarn):
    field, arrows = grid_points(EXTENT, 8)[..., 0], grid_points(EXTENT, 4)
    for bad in (np.nan, np.inf, 1e38):
        field[1, 2] = arrows[1, 2, 0] = bad
        scatter(NOTHING, np.full((3, 2), bad), field, arrows, EXTENT)
    trajectories({"diverges": np.array([[1.0, 1.0], [1e200, 0.0], [np.inf, np.nan]])})
    assert not recwarn.list


def test_pictures_are_deterministic_and_have_one_size():
    rng = np.random.default_rng(0)
    real, fake, field, arrows = (
        rng.normal(size=(50, 2)),
        rng.normal(size=(50, 2)),
        rng.normal(size=(9, 9)),
        np.ones((4, 4, 2)),
    )
    first, second = (scatter(real, fake, field, arrows, EXTENT) for _ in range(2))
    assert (first == second).all()
    assert scatter(real, 9 * fake).shape == first.shape


def test_grid_points_are_cell_centers_from_bottom_left():
    points = grid_points((0.0, 2.0, 10.0, 14.0), 2)
    assert points.tolist() == [[[0.5, 11], [1.5, 11]], [[0.5, 13], [1.5, 13]]]
    assert points.dtype == np.float32


def test_extent_is_a_square_around_all_finite_points():
    points = np.array([[0.0, 1.0], [4.0, 2.0], [np.inf, 9.0]])
    assert extent_of(points, margin=0.25) == pytest.approx((-1, 5, -1.5, 4.5))
    assert extent_of(np.array([[3.0, 1.0]])) == (2, 4, 0, 2)


def test_trajectories_start_with_a_ring_and_end_with_a_dot():
    turn = np.linspace(0, 4, 50)
    path = np.stack([np.cos(turn), 1 + np.sin(turn)], axis=1)
    picture = trajectories({"plain": path, "short": path[:3] / 2}, arrows=-grid_points(EXTENT, 6), extent=EXTENT)
    assert (near(picture, *path[0], reach=1) == 255).all()
    blue = near(picture, *path[-1], reach=1)
    assert (blue[:, 2] > blue[:, 0] + 100).all()
    assert trajectories({"alone": path}).shape == picture.shape
