"""InfoGAN's networks: the paper's layers and parameters, other sizes, any codes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import BadInput
from gan_jax.nets import infogan
from gan_jax.nets.layers.conditioning import concat_codes
from gan_jax.priors import Categorical, Uniform

CODES = {"c1": Categorical(10), "c2": Uniform(), "c3": Uniform()}


def shapes(net, *args):
    """Returns `(output, params)` as shapes, by abstract evaluation."""
    output, variables = jax.eval_shape(net.init_with_output, jax.random.key(0), *args)
    return output, variables["params"]


def count(params):
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def images(size, channels):
    return jax.ShapeDtypeStruct((2, size, size, channels), jnp.float32)


def latents(codes=CODES, z_size=62):
    c = {name: code.draw(jax.random.split(jax.random.key(0), 2)) for name, code in codes.items()}
    return jnp.zeros((2, z_size)), c


def test_noise_and_codes_are_concatenated():
    c = {"kind": jnp.array([2, 0]), "size": jnp.array([0.5, -2.0])}
    got = concat_codes(jnp.array([[7.0], [8.0]]), {"size": Uniform(), "kind": Categorical(3)}, c)
    np.testing.assert_array_equal(got, [[7, 0.5, 0, 0, 1], [8, -2, 1, 0, 0]])


def test_generator_has_the_papers_mnist_layers():
    g, _ = infogan.paper((28, 28, 1), CODES)
    x, params = shapes(g, *latents())
    assert x.shape == (2, 28, 28, 1)
    assert params["Dense_0"]["kernel"].shape == (74, 1024)  # 62 + 10 + 1 + 1
    up = params["Generator_0"]
    assert up["Dense_0"]["kernel"].shape == (1024, 7 * 7 * 128)
    assert [up[f"ConvTranspose_{i}"]["kernel"].shape for i in range(2)] == [(4, 4, 128, 64), (4, 4, 64, 1)]
    dense = (74 * 1024 + 1024) + (1024 * 7 * 7 * 128 + 7 * 7 * 128)
    convolutions = (16 * 128 * 64 + 64) + (16 * 64 + 1)
    norms = 2 * (1024 + 128 + 64)
    assert count(params) == dense + convolutions + norms


def test_discriminator_has_the_papers_mnist_layers():
    _, d = infogan.paper((28, 28, 1), CODES)
    (scores, guesses), params = shapes(d, images(28, 1))
    assert scores.shape == (2,)
    assert {name: guess.shape for name, guess in guesses.items()} == {"c1": (2, 10), "c2": (2, 2), "c3": (2, 2)}
    body = (16 * 64 + 64) + (16 * 64 * 128 + 128) + (7 * 7 * 128 * 1024 + 1024)
    score, q = 1024 + 1, (1024 * 128 + 128) + (128 * 12 + 12)  # ten classes, two means
    norms = 2 * (128 + 1024 + 128)
    assert count(params) == body + score + q + norms


@pytest.mark.parametrize("size, channels", [(32, 3), (64, 3), (28, 3)])
def test_networks_fit_other_sizes_and_codes(size, channels):
    codes = {"kind": Categorical(4), "tint": Uniform(-2.0, 5.0)}
    g, d = infogan.paper((size, size, channels), codes, width=2)
    assert shapes(g, *latents(codes, 3))[0].shape == (2, size, size, channels)
    _, guesses = shapes(d, images(size, channels))[0]
    assert {name: guess.shape for name, guess in guesses.items()} == {"kind": (2, 4), "tint": (2, 2)}


@pytest.mark.parametrize("shape", [(30, 30, 1), (32, 28, 3), (2,)])
def test_unsupported_sizes_are_refused(shape):
    with pytest.raises(BadInput, match="are not supported: give square"):
        infogan.paper(shape, CODES)
