"""Frames of moving things: where they are cut, whatever lies between pixels, and whether they stay the same."""

import numpy as np

from gan_jax.data import open_source
from gan_jax.data.source import read_rounded
from gan_jax.metrics.moving_frames import contrasted, crops, kept_identity


def test_a_square_around_the_center_is_enlarged_bilinearly():
    video = np.zeros((1, 2, 12, 12, 1), np.uint8)
    video[0, 0, 3:5, 6:8, 0] = 200  # the center lies between pixels, at (3.5, 6.5)
    video[0, 1, 0:2, 10:12, 0] = 80  # a corner: what is outside is black
    cut = crops(video, 4, 4)[..., 0]
    expected = np.zeros((4, 4))
    expected[1:3, 1:3] = 1
    np.testing.assert_array_equal(cut, [200 * expected, 80 * expected])
    [twice, _] = crops(video, 4, 8)[..., 0]
    np.testing.assert_array_equal(twice[4], [0, 50, 150, 200, 200, 150, 50, 0])
    np.testing.assert_array_equal(twice, twice.T)


def test_crops_of_a_digit_between_pixels_are_alike_and_of_a_black_frame_black():
    video = read_rounded(open_source("moving:mnist5k"), np.arange(2))["x"]
    video[0, 3] = 0
    cut = crops(video, 16, 28).reshape(2, 16, 28, 28).astype(int)
    assert not cut[0, 3].any()
    assert np.abs(cut[1] - cut[1].mean(0)).mean() < 8 < np.abs(video[1] - video[1].astype(float).mean(0)).mean()


def test_contrast_is_that_of_the_brightest_pixel():
    image = np.array([[0, 10, 20], [30, 40, 5]], np.uint8)[None, :, :, None]
    np.testing.assert_array_equal(contrasted(image)[0, ..., 0], [[0, 0, 128], [255, 255, 0]])
    assert not contrasted(np.zeros((1, 2, 2, 1), np.uint8)).any()


def test_identity_is_the_share_of_the_majority():
    classes = np.array([[3, 3, 3, 3], [1, 2, 1, 2], [0, 9, 9, 9]])
    np.testing.assert_array_equal(kept_identity(classes), [1, 0.5, 0.75])
