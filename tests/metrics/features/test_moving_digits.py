"""The network of videos: its convolutions in space and time, the directions it is taught, its pinned file."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from gan_jax.data import open_source
from gan_jax.data.modality import VIDEO
from gan_jax.data.source import read_rounded
from gan_jax.errors import BadInput
from gan_jax.metrics.features import moving_digits
from gan_jax.metrics.features.network import extract
from gan_jax.nets.layers.convolution import conv

RANDOM = np.random.default_rng(0)


def test_frames_beside_their_neighbors_make_a_convolution_in_space_and_time():
    x, kernel = (RANDOM.normal(size=shape).astype(np.float32) for shape in ((2, 5, 6, 6, 2), (3, 3, 3, 2, 4)))
    flat = moving_digits.beside_neighbors(jnp.asarray(x)).reshape(10, 6, 6, 6)
    found = conv(flat, jnp.asarray(kernel.transpose(1, 2, 0, 3, 4).reshape(3, 3, 6, 4)), 2)
    layout = ("NDHWC", "DHWIO", "NDHWC")
    expected = lax.conv_general_dilated(x, kernel, (1, 2, 2), "SAME", dimension_numbers=layout)
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=1e-4, atol=1e-5)


def test_directions_are_eighths_of_the_circle_at_the_beginning_of_each_quarter():
    velocities = [(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)]  # down, right
    clips = np.zeros((8, 16, 32, 32, 1), np.float32)
    for i, (down, right) in enumerate(velocities):
        for t in range(16):
            forth = t if t < 8 else 16 - t  # and back in the second half
            clips[i, t, 16 + down * forth, 16 + right * forth] = 1
    found = np.asarray(moving_digits.moving_to(jnp.asarray(clips)))
    expected = np.arange(8)[:, None] + np.array([0, 0, 4, 4])[None]
    np.testing.assert_array_equal(found, expected % 8)


def test_the_file_in_the_package_is_small_and_knows_digits_and_directions():
    net, source = moving_digits.moving_digits(), open_source("moving:mnist5k")
    clips, labels = (read_rounded(source, np.arange(0, 5000, 25))[name] for name in ("x", "y"))
    outputs = extract(net, clips)
    assert (net.name, net.sha256, net.kind) == ("moving_digits", moving_digits.SHA256, VIDEO)
    assert moving_digits.WEIGHTS.stat().st_size < 300_000 and outputs.features.shape == (200, 64)
    assert np.mean(outputs.probabilities.argmax(axis=1) == labels) > 0.85
    turns = np.asarray(moving_digits.heading(net.params, jnp.asarray(outputs.features))).argmax(-1)
    assert np.mean(turns == moving_digits.moving_to(jnp.asarray(clips / np.float32(255)))) > 0.8


def test_other_videos_are_refused():
    with pytest.raises(BadInput, match=r"takes videos \[N, 16, 32, 32, 1\], not \[N, 8, 32, 32, 1\]: choose"):
        extract(moving_digits.moving_digits(), np.zeros((1, 8, 32, 32, 1), np.uint8))
    for data in ("mnist5k", "tones"):
        with pytest.raises(BadInput, match=f"{data} has no digits that move in gray: give moving:mnist"):
            moving_digits.train(open_source(data), jax.random.key(0), 1)


@pytest.mark.slow
def test_training_is_stored_and_loaded_back(tmp_path):
    params = moving_digits.train(open_source("moving:mnist5k:200"), jax.random.key(0), 1)
    sha256 = moving_digits.save(tmp_path / "net.npz", params)
    net = moving_digits.load(tmp_path / "net.npz", sha256)
    jax.tree.map(np.testing.assert_array_equal, net.params, params)
