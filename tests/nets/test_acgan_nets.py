"""ACGAN's networks: the paper's layers and parameters, other sizes, labels and dropout."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import BadInput
from gan_jax.nets import acgan


def shapes(net, *args):
    """Returns `(output, params)` as shapes, by abstract evaluation."""
    output, variables = jax.eval_shape(net.init_with_output, jax.random.key(0), *args)
    return output, variables["params"]


def count(params):
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def images(size, channels=3):
    return jax.ShapeDtypeStruct((2, size, size, channels), jnp.float32)


LATENTS = jax.ShapeDtypeStruct((2, 100), jnp.float32), jax.ShapeDtypeStruct((2,), jnp.int32)


def test_generator_has_the_papers_cifar_layers():
    g, _ = acgan.paper((32, 32, 3), classes=10)
    x, params = shapes(g, *LATENTS)
    assert x.shape == (2, 32, 32, 3)
    layers = params["Generator_0"]
    assert layers["Dense_0"]["kernel"].shape == (110, 4 * 4 * 384)  # noise and embedded class
    kernels = [layers[f"ConvTranspose_{i}"]["kernel"].shape for i in range(3)]
    assert kernels == [(5, 5, 384, 192), (5, 5, 192, 96), (5, 5, 96, 3)]
    dense = 110 * 4 * 4 * 384 + 4 * 4 * 384
    convolutions = (25 * 384 * 192 + 192) + (25 * 192 * 96 + 96) + (25 * 96 * 3 + 3)
    norms = 2 * (384 + 192 + 96)
    assert count(params) == dense + convolutions + norms


def test_discriminator_has_the_papers_layers():
    _, d = acgan.paper((32, 32, 3), classes=10)
    (scores, logits), params = shapes(d, images(32))
    assert scores.shape == (2,) and logits.shape == (2, 10)
    widths = [3, 16, 32, 64, 128, 256, 512]
    kernels = [params[f"Conv_{i}"]["kernel"].shape for i in range(6)]
    assert kernels == [(3, 3, widths[i], widths[i + 1]) for i in range(6)]
    assert params["Dense_0"]["kernel"].shape == (4 * 4 * 512, 11)  # one score and ten logits
    convolutions = sum(9 * a * b + b for a, b in pairwise(widths))
    norms = sum(2 * width for width in widths[2:])
    assert count(params) == convolutions + norms + 4 * 4 * 512 * 11 + 11


@pytest.mark.parametrize("size, base, doublings", [(12, 3, 2), (28, 4, 3), (30, 4, 3), (32, 4, 3), (64, 8, 3)])
def test_networks_fit_other_sizes(size, base, doublings):
    g, d = acgan.paper((size, size, 1), classes=7, width=2)
    assert len(g.widths) == doublings and g.widths[-1] == 12
    x, params = shapes(g, *LATENTS)
    assert x.shape == (2, size, size, 1)
    assert params["Generator_0"]["Dense_0"]["bias"].shape == (base * base * g.widths[0],)
    assert shapes(d, images(size, 1))[0][1].shape == (2, 7)


@pytest.mark.parametrize("shape", [(32, 28, 3), (8, 8, 1), (2,)])
def test_unsupported_sizes_are_refused(shape):
    with pytest.raises(BadInput, match="are not supported: give square"):
        acgan.paper(shape, classes=10)


@pytest.mark.medium
def test_classes_give_different_images_from_the_same_noise():
    g, _ = acgan.paper((12, 12, 1), classes=3, width=1)
    z, y = jnp.ones((3, 4)), jnp.arange(3)
    x, _ = jax.jit(g.init_with_output)(jax.random.key(0), z, y)
    assert all(abs(x[a] - x[b]).max() > 1e-4 for a, b in ((0, 1), (0, 2), (1, 2)))


@pytest.mark.medium
def test_dropout_is_active_only_with_keys():
    _, d = acgan.paper((12, 12, 1), classes=3, width=2)
    x = jax.random.normal(jax.random.key(0), (4, 12, 12, 1))
    clean, variables = jax.jit(d.init_with_output)(jax.random.key(1), x)
    score = jax.jit(d.apply)
    noisy = score(variables, x, jax.random.split(jax.random.key(2), 4))
    for without, again, dropped in zip(clean, score(variables, x), noisy, strict=True):
        assert without.shape == again.shape and not np.allclose(again, dropped)
