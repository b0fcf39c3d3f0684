"""Metrics of motion: dots on known paths."""

import numpy as np
import pytest

from gan_jax.metrics.motion import acceleration, centers, speed


def dots(path, side=24, level=200):
    """Makes a video of one bright pixel at every position (x, y) of a path."""
    video = np.zeros((1, len(path), side, side, 1), np.uint8)
    video[0, np.arange(len(path)), path[:, 1], path[:, 0]] = level
    return video


def straight(t=16, start=(2, 20), velocity=(1, -1)):
    return np.array(start) + np.arange(t)[:, None] * np.array(velocity)


def test_centers_are_those_of_the_brightness():
    path = straight()
    np.testing.assert_allclose(centers(dots(path))[0], path)
    both = dots(path) + dots(path[:, ::-1] // 2, level=50)  # 4 to 1
    np.testing.assert_allclose(centers(both.repeat(3, axis=-1))[0], (4 * path + path[:, ::-1] // 2) / 5)


@pytest.mark.parametrize("velocity", [(1, -1), (0, -1), (1, 0), (0, 0)])
def test_straight_motion_has_its_speed_and_no_acceleration(velocity):
    video = dots(straight(velocity=velocity))
    np.testing.assert_allclose(speed(video), np.hypot(*velocity), atol=1e-9)
    np.testing.assert_allclose(acceleration(video), 0, atol=1e-9)


def test_bounces_are_no_acceleration():
    t = np.arange(16)
    path = np.stack([10 - np.abs(10 - (7 + 2 * t) % 20), 5 - np.abs(5 - (1 + t) % 10)], axis=-1)  # three bounces each
    assert acceleration(dots(path)) == 0
    np.testing.assert_allclose(speed(dots(path)), np.hypot(2, 1))


def test_constant_acceleration_is_measured():
    t = np.arange(10)
    np.testing.assert_allclose(acceleration(dots(np.stack([t * t, 40 - 2 * t], -1), side=90)), [2])


def test_shuffled_frames_accelerate_more_than_they_move():
    video = dots(straight())
    shuffled = video[:, np.random.default_rng(0).permutation(16)]
    assert acceleration(shuffled)[0] > 5 > 3 * speed(video)[0]


def test_a_video_with_a_black_frame_has_no_motion():
    video = np.concatenate([dots(straight()), dots(straight())])
    video[1, 7] = 0
    for measure in (speed, acceleration):
        assert np.isnan(measure(video)).tolist() == [False, True]


def test_rounding_to_bytes_hardly_moves_the_center():
    """A blurred dot at any position."""
    x = np.indices((16, 32, 32))[2] - (5 + 1.3 * np.arange(16))[:, None, None]
    y = np.indices((16, 32, 32))[1] - 16
    video = np.rint(255 * np.exp(-(x**2 + y**2) / 8)).astype(np.uint8)[None, ..., None]
    np.testing.assert_allclose(speed(video), 1.3, atol=0.02)
    assert acceleration(video)[0] < 0.02
