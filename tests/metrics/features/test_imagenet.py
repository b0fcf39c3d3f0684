"""AlexNet, VGG16 and LPIPS: equal to PyTorch's convolutions, and to the published values on bicubic images."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import random_lpips
from super_resolution import bicubic_pairs

from gan_jax import metrics
from gan_jax.errors import BadInput
from gan_jax.metrics.features import imagenet
from gan_jax.metrics.features.alexnet import alexnet_conv5, alexnet_features
from gan_jax.metrics.features.lpips import lpips
from gan_jax.metrics.features.vgg16 import vgg16_features

pytestmark = pytest.mark.medium

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.uniform(-1, 1, (2, 2, 43, 36, 3)).astype(np.float32)


def narrow(sizes, width=4):
    """Draws layers of few channels, with the kernels and depth of a network."""
    drawn = {}
    for i, (name, (k, _, _)) in enumerate(sizes.items()):
        c_in = width if i else 3
        kernel = RANDOM.standard_normal((k, k, c_in, width)) * (2 / (k * k * c_in)) ** 0.5
        drawn[name] = {"kernel": kernel.astype(np.float32), "bias": RANDOM.uniform(-0.2, 0.4, width).astype(np.float32)}
    return jax.tree.map(jnp.asarray, drawn)


ALEXNET, VGG16 = narrow(imagenet.ALEXNET), narrow(imagenet.VGG16)
HEADS = tuple(jnp.asarray(RANDOM.random(4), jnp.float32) for _ in ALEXNET)


def torch_maps(layers, x, plan):
    """Applies convolutions and poolings of PyTorch; returns the map after every convolution's ReLU, by name."""
    torch = pytest.importorskip("torch")
    from torch.nn import functional

    shift, scale = (torch.tensor(each)[:, None, None] for each in ((-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)))
    x, maps = (torch.from_numpy(np.moveaxis(x, 3, 1).copy()) - shift) / scale, {}
    for step in plan:
        if isinstance(step, int):
            x = functional.max_pool2d(x, step, 2)
            continue
        name, stride, padding = step
        kernel, bias = (torch.from_numpy(np.array(layers[name][part])) for part in ("kernel", "bias"))
        x = functional.relu(functional.conv2d(x, kernel.permute(3, 2, 0, 1), bias, stride, padding))
        maps[name] = np.moveaxis(x.numpy(), 1, 3)
    return maps


@pytest.mark.slow
def test_alexnet_equals_torch():
    plan = [("conv1", 4, 2), 3, ("conv2", 1, 2), 3, ("conv3", 1, 1), ("conv4", 1, 1), ("conv5", 1, 1)]
    expected = torch_maps(ALEXNET, X, plan)
    found = alexnet_features(ALEXNET, jnp.asarray(X))
    for ours, theirs in zip(found, expected.values(), strict=True):
        assert ours.shape == theirs.shape and theirs.std() > 0.01
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_vgg16_equals_torch():
    plan = [("conv1_1", 1, 1), ("conv1_2", 1, 1), 2, ("conv2_1", 1, 1), ("conv2_2", 1, 1), 2]
    plan += [("conv3_1", 1, 1), ("conv3_2", 1, 1), ("conv3_3", 1, 1)]
    expected = torch_maps(VGG16, X, plan)
    found = vgg16_features(VGG16, jnp.asarray(X))
    assert list(found) == ["relu1_2", "relu2_2", "relu3_3"]
    for name, ours in found.items():
        theirs = expected[name.replace("relu", "conv")]
        assert ours.shape == theirs.shape and theirs.std() > 0.01
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_gray_is_repeated_over_three_channels():
    gray = jnp.asarray(X[..., :1])
    for found, expected in zip(
        alexnet_features(ALEXNET, gray), alexnet_features(ALEXNET, jnp.repeat(gray, 3, axis=3)), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_lpips_equals_loops_over_layers_and_positions():
    found = lpips(ALEXNET, HEADS, jnp.asarray(X), jnp.asarray(Y))
    pairs = zip(alexnet_features(ALEXNET, jnp.asarray(X)), alexnet_features(ALEXNET, jnp.asarray(Y)), strict=True)
    expected = np.zeros(2)
    for maps, w in zip(pairs, HEADS, strict=True):
        a, b = (np.asarray(each, np.float64) for each in maps)
        for n, i, j in np.ndindex(a.shape[:3]):
            u, v = (each[n, i, j] / max(np.linalg.norm(each[n, i, j]), 1e-10) for each in (a, b))
            expected[n] += np.dot(w, (u - v) ** 2) / (a.shape[1] * a.shape[2])
    assert (expected > 0.01).all()
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_lpips_is_0_for_equal_images_and_symmetric():
    x, y = jnp.asarray(X), jnp.asarray(Y)
    np.testing.assert_array_equal(lpips(ALEXNET, HEADS, x, x), 0)
    np.testing.assert_allclose(lpips(ALEXNET, HEADS, x, y), lpips(ALEXNET, HEADS, y, x), rtol=1e-6)


def test_lpips_and_its_gradient_are_finite_where_all_features_are_0():
    silent = jax.tree.map(lambda each: each * 0, ALEXNET)
    x, y = (jnp.asarray(each[:1, :31, :31]) for each in (X, Y))
    value, gradient = jax.jit(jax.value_and_grad(lambda x: lpips(silent, HEADS, x, y)[0]))(x)
    assert value == 0 and np.isfinite(gradient).all()


@pytest.mark.parametrize("change", [{"alex/lin3": None}, {"vgg16/conv1_1/bias": np.zeros(3, np.float16)}])
def test_file_without_the_arrays_of_the_networks_is_refused(tmp_path, change):
    file = random_lpips.write(tmp_path / "weights.npz", **change)
    with pytest.raises(BadInput, match=f"array {next(iter(change))} is .*: make the file with"):
        imagenet.load(file, sha256=None)


def test_file_with_another_sha256_is_refused(tmp_path):
    file = random_lpips.write(tmp_path / "weights.npz")
    with pytest.raises(BadInput, match=f"not {imagenet.SHA256}"):
        imagenet.load(file)


def test_feature_network_averages_the_last_map_of_8_bit_images(tmp_path):
    weights = imagenet.load(random_lpips.write(tmp_path / "weights.npz"), sha256=None)
    net = alexnet_conv5(weights)
    assert (net.name, net.sha256, net.head) == ("alexnet-conv5", weights.sha256, None)
    assert net.params is weights.alexnet and len(net.sha256) == 64
    images = RANDOM.integers(0, 256, (2, 43, 36, 3)).astype(np.uint8)
    found = metrics.extract(net._replace(params=ALEXNET), images).features
    last = alexnet_features(ALEXNET, jnp.asarray(images / np.float32(127.5) - 1))[-1]
    assert found.shape == (2, 4) and found.std() > 0.01
    np.testing.assert_allclose(found, np.asarray(last).mean((1, 2)), atol=1e-5)


def test_images_that_the_networks_cannot_take_are_refused():
    with pytest.raises(BadInput, match="at least 31 pixels a side, not 30x36"):
        alexnet_features(ALEXNET, jnp.asarray(X[:, :30]))
    with pytest.raises(BadInput, match=r"or \[N, H, W, 1\], not"):
        vgg16_features(VGG16, jnp.asarray(X[..., :2]))
    assert all(each.size for each in alexnet_features(ALEXNET, jnp.asarray(X[:, :31, :31])))


@pytest.mark.slow
def test_bicubic_x4_has_its_published_lpips(test_data):
    """The values of the `lpips` package with float32 weights; rounding them to float16 changes less than 2e-4."""
    weights, distance = imagenet.load(test_data("lpips.npz")), jax.jit(lpips)
    pairs = bicubic_pairs(test_data("super-resolution.tar.gz"), "set5")
    found = {
        name: float(distance(weights.alexnet, weights.heads, *(each / np.float32(127.5) - 1 for each in pair))[0])
        for name, *pair in pairs
    }
    expected = {"baby": 0.3031, "bird": 0.2360, "butterfly": 0.3734, "head": 0.4205, "woman": 0.3655}
    assert found == pytest.approx(expected, abs=5e-4)
    assert np.mean(list(found.values())) == pytest.approx(0.3397, abs=5e-4)
