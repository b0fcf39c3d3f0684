"""Pictures of samples: images and spectrograms in a grid, videos as strips or frame by frame, points in the plane."""

import numpy as np
import pytest

from gan_jax.data.modality import IMAGE, POINTS, VIDEO, audio, to_uint8
from gan_jax.sampling.pictures import draw_frames, draw_samples
from gan_jax.viz import scatter2d
from gan_jax.viz.images import film_strips, image_grid
from gan_jax.viz.sounds import spectrograms


def test_images_are_drawn_in_a_grid():
    images = np.random.default_rng(0).uniform(-1, 1, (6, 4, 4, 3)).astype(np.float32)
    np.testing.assert_array_equal(draw_samples(IMAGE, images, 2, 3), image_grid(to_uint8(images), 2, 3))


def test_sounds_are_drawn_as_spectrograms_at_their_rate():
    sounds = np.random.default_rng(0).uniform(-1, 1, (6, 2048)).astype(np.float32)
    expected = image_grid(spectrograms(sounds, 16000), 2, 3)
    np.testing.assert_array_equal(draw_samples(audio(16000), sounds, 2, 3), expected)


def test_videos_are_drawn_as_strips_and_played_in_a_grid():
    videos = np.random.default_rng(0).uniform(-1, 1, (6, 5, 4, 4, 3)).astype(np.float32)
    np.testing.assert_array_equal(draw_samples(VIDEO, videos, 2, 3), film_strips(to_uint8(videos)))
    played = draw_frames(VIDEO.frame, videos, (2, 3))
    assert len(played) == 5
    for i, picture in enumerate(played):
        np.testing.assert_array_equal(picture, image_grid(to_uint8(videos[:, i]), 2, 3))


@pytest.mark.parametrize("size", [1, 2, 10])
def test_points_of_any_size_are_drawn_by_their_first_two_values(size):
    points = np.random.default_rng(0).normal(size=(6, size)).astype(np.float32)
    xy = points[:, :2] if size > 1 else np.hstack([points, np.zeros_like(points)])
    expected = scatter2d.scatter(xy[:0], xy, extent=scatter2d.extent_of(xy))
    np.testing.assert_array_equal(draw_samples(POINTS, points, 2, 3), expected)
