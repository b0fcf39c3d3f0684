"""Features of a word, by hand."""

import jax.numpy as jnp
import numpy as np

from gan_jax.audio.word import word_features


def features(place, length, samples=8, hop=2, waves=0):
    labels = [(jnp.array([2, 0]), 3), (jnp.array([1, 0]), 2)]
    return np.asarray(word_features(labels, jnp.float32(place), jnp.float32(length), samples, hop, waves))


def test_frames_have_labels_progress_and_whether_they_are_inside():
    found = features([0.5, 1.0], [4, 2])  # samples 2 to 5, and 6 and 7; middles of frames are 1, 3, 5, 7
    assert found.shape == (2, 4, 7)
    np.testing.assert_array_equal(found[0, :, :5], np.tile([0, 0, 1, 0, 1], (4, 1)))
    np.testing.assert_array_equal(found[1, :, :5], np.tile([1, 0, 0, 1, 0], (4, 1)))
    np.testing.assert_allclose(found[0, :, 5:], [[0, 0], [0.25, 1], [0.75, 1], [1, 0]])
    np.testing.assert_allclose(found[1, :, 5:], [[0, 0], [0, 0], [0, 0], [0.5, 1]])


def test_a_word_longer_than_its_window_begins_before_it():
    found = features([0.0, 1.0], [16, 16])
    np.testing.assert_allclose(found[0, :, 5], np.array([1, 3, 5, 7]) / 16)
    np.testing.assert_allclose(found[1, :, 5], np.array([9, 11, 13, 15]) / 16)
    assert found[:, :, 6].all()


def test_waves_are_sines_and_cosines_of_the_time_since_the_word_began():
    """At samples -1, 1, 3 and 5 of the word, of 1/8 and 1/4 cycle a sample, half the rate of frames."""
    found = features([0.5, 0.0], [4, 8], waves=2)[0, :, 7:]
    turns = np.array([-1, 1, 3, 5])[:, None] * np.array([1 / 8, 1 / 4]) * 2 * np.pi
    np.testing.assert_allclose(found, np.concatenate([np.sin(turns), np.cos(turns)], axis=1), atol=1e-6)
