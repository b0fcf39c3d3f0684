"""The frozen MNIST classifier: its pinned file, and its forward pass against plain loops."""

import importlib.util

import jax
import numpy as np
import pytest

from gan_jax.data import mnist5k
from gan_jax.errors import BadInput
from gan_jax.metrics.features import mnist as module
from gan_jax.metrics.features.mnist import mnist, stacked_mnist
from gan_jax.metrics.features.network import extract

DIGITS = tuple("0123456789")


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


@pytest.fixture(scope="module")
def digits():
    source = mnist5k()
    return source.read(np.arange(0, source.size, 20))


def silu(x):
    return x / (1 + np.exp(-x))


def convolved(x, kernel, bias):
    """Correlates `[N, H, W, C]`, zero padded, with a kernel, as a sum over taps."""
    k, (h, w) = len(kernel), x.shape[1:3]
    padded = np.pad(x, ((0, 0), (k // 2, k // 2), (k // 2, k // 2), (0, 0)))
    taps = [(i, j) for i in range(k) for j in range(k)]
    return bias + sum(np.einsum("nhwc,cd->nhwd", padded[:, i : i + h, j : j + w], kernel[i, j]) for i, j in taps)


def by_hand(params, images):
    """Computes features and probabilities in float64, without JAX."""
    p = jax.tree.map(lambda x: np.asarray(x, np.float64), params)
    x = images / 255.0
    for name in ("conv1", "conv2"):
        x = silu(convolved(x, p[name]["kernel"], p[name]["bias"]))
        x = (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4
    features = silu(x.reshape(len(x), -1) @ p["dense"]["kernel"] + p["dense"]["bias"])
    odds = np.exp(features @ p["out"]["kernel"] + p["out"]["bias"])
    return features, odds / odds.sum(axis=1, keepdims=True)


def test_digits_are_classified(digits):
    net = mnist()
    outputs = extract(net, digits["x"])
    assert (net.name, net.classes, net.sha256) == ("mnist", DIGITS, module.SHA256)
    assert outputs.features.shape == (250, 128) and outputs.features.dtype == np.float32
    assert np.mean(outputs.probabilities.argmax(axis=1) == digits["y"]) > 0.98


def test_features_have_full_rank(digits):
    """The Fréchet distance needs this: no dead and no redundant unit."""
    spread = np.linalg.eigvalsh(np.cov(extract(mnist(), digits["x"]).features.T.astype(np.float64)))
    assert spread.min() > 1e-6 * spread.max()


def test_forward_pass_equals_plain_loops():
    images, net = noise(5, 28, 28, 1), mnist()
    features, probabilities = by_hand(net.params, images)
    outputs = extract(net, images)
    np.testing.assert_allclose(outputs.features, features, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(outputs.probabilities, probabilities, rtol=1e-3, atol=1e-6)


def test_padding_to_32_is_cropped():
    images, net = noise(3, 32, 32, 1), mnist()
    np.testing.assert_array_equal(extract(net, images).features, extract(net, images[:, 2:-2, 2:-2]).features)


@pytest.mark.parametrize("size", [(28, 28), (32, 32)])
def test_stacked_digits_give_features_and_products_of_three_digits(size):
    images, net = noise(4, *size, 3), stacked_mnist()
    outputs = extract(net, images)
    each = [extract(mnist(), images[..., i : i + 1]) for i in range(3)]
    np.testing.assert_allclose(
        outputs.features, np.concatenate([one.features for one in each], 1), rtol=1e-5, atol=1e-5
    )
    for i in (0, 3):
        a, b, c = (one.probabilities[i] for one in each)
        products = np.array([a[n // 100] * b[n // 10 % 10] * c[n % 10] for n in range(1000)])
        np.testing.assert_allclose(outputs.probabilities[i], products, rtol=1e-3, atol=1e-7)


def test_stacked_classes_are_three_digit_numbers(digits):
    rows = [np.flatnonzero(digits["y"] == digit)[0] for digit in (4, 0, 7)]
    [probabilities] = extract(stacked_mnist(), np.moveaxis(digits["x"][rows, :, :, 0], 0, -1)[None]).probabilities
    net = stacked_mnist()
    assert net.classes[probabilities.argmax()] == "407" and len(net.classes) == 1000
    assert net.sha256 == mnist().sha256 and net.resize != mnist().resize


@pytest.mark.parametrize("shape", [(2, 28, 28, 3), (2, 32, 28, 1), (2, 64, 64, 1), (2, 27, 27, 1)])
def test_unsupported_image_shapes_are_refused(shape):
    with pytest.raises(BadInput, match=r"^this classifier takes images \[N, 28, 28, 1\] or .*: resize them") as error:
        extract(mnist(), noise(*shape))
    assert "\n" not in str(error.value)
    with pytest.raises(BadInput, match=r"\[N, 28, 28, 3\]"):
        extract(stacked_mnist(), noise(2, 28, 28, 1))


def test_weights_not_matching_the_pinned_digest_are_refused(tmp_path, monkeypatch):
    data = bytearray(module.WEIGHTS.read_bytes())
    assert len(data) < 2_000_000
    data[len(data) // 2] ^= 1
    (tmp_path / "mnist.npz").write_bytes(data)
    monkeypatch.setattr(module, "WEIGHTS", tmp_path / "mnist.npz")
    for damaged in (mnist, stacked_mnist):
        with pytest.raises(BadInput, match=r"mnist.npz has the sha256 [0-9a-f]{64}, not [0-9a-f]{64}: download"):
            damaged()


def test_import_reads_no_weights(monkeypatch):
    monkeypatch.setattr("pathlib.Path.read_bytes", None)
    spec = importlib.util.spec_from_file_location("fresh", module.__file__)
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    with pytest.raises(TypeError):  # unlike its use
        fresh.mnist()
