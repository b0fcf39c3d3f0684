"""The bilinear resize of TensorFlow 1, against hand computation, TensorFlow and torch-fidelity."""

import importlib

import jax
import numpy as np
import peers
import pytest

from gan_jax.metrics.features.resize_tf1 import bilinear_tf1

SIZES = [(1, 1), (1, 7), (2, 3), (8, 28), (17, 32), (32, 40), (150, 298), (299, 299), (300, 431), (600, 597)]


def images(height, width, channels=3):
    return np.random.default_rng(height).integers(0, 256, (2, height, width, channels)).astype(np.float32)


def ours(x, height, width):
    return np.asarray(jax.jit(bilinear_tf1, static_argnums=(1, 2))(x, height, width))


def tensorflow(x, height, width):
    tf = pytest.importorskip("tensorflow")
    size = [height, width]
    return tf.raw_ops.ResizeBilinear(images=x, size=size, align_corners=False, half_pixel_centers=False).numpy()


def torch_fidelity(x, height, width):
    peers.torch_fidelity()
    import torch

    peer = importlib.import_module("torch_fidelity.interpolate_compat_tensorflow")
    images = torch.from_numpy(x.transpose(0, 3, 1, 2))
    out = peer.interpolate_bilinear_2d_like_tensorflow1x(images, (height, width), align_corners=False)
    return out.numpy().transpose(0, 2, 3, 1)


@pytest.mark.medium
@pytest.mark.parametrize("peer", [pytest.param(tensorflow, marks=pytest.mark.slow), torch_fidelity])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_resize_equals_tensorflow_and_torch_fidelity(peer, size):
    x = images(*size)
    np.testing.assert_allclose(ours(x, 299, 299), peer(x, 299, 299), atol=1e-4)  # rounding, in a range of 255


def test_height_and_width_are_not_confused():
    x = images(5, 9)
    assert ours(x, 4, 11).shape == (2, 4, 11, 3)
    np.testing.assert_allclose(ours(x, 4, 11), torch_fidelity(x, 4, 11), atol=1e-4)


def test_resize_equals_hand_computation():
    """Doubling keeps the first pixel and repeats the last; halving takes every other pixel."""
    row = np.array([0.0, 10.0, 30.0], np.float32).reshape(1, 1, 3, 1)
    assert ours(row, 1, 6).ravel().tolist() == [0, 5, 10, 20, 30, 30]
    assert ours(np.tile(row, (1, 2, 2, 1)), 1, 3).ravel().tolist() == [0, 30, 10]


def test_resize_to_the_same_size_is_the_identity():
    x = images(13, 299)
    np.testing.assert_array_equal(ours(x, 13, 299), x)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_constant_image_stays_constant(size):
    x = np.full((1, *size, 1), 255, np.float32)
    np.testing.assert_array_equal(ours(x, 299, 299), 255)
