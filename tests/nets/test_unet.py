"""The U-Net: the paper's layers, any size, dropout by keys, the same function in training and at test time."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from gan_jax import BadInput
from gan_jax.nets import unet

KEY = jax.random.key(0)


pytestmark = pytest.mark.usefixtures("library_convolutions")


def shapes(net, *shape):
    return jax.eval_shape(net.init_with_output, KEY, jax.ShapeDtypeStruct(shape, jnp.float32))


def keys(n, seed=0):
    return jax.random.split(jax.random.key(seed), n)


@pytest.fixture(scope="module")
def tiny():
    """An instance-norm network at 8 x 8 pixels, its variables, images, and a compiled call `(variables, x, keys)`."""
    net = unet.Generator(2, levels=3, width=3)
    x = jax.random.normal(KEY, (3, 8, 8, 4))
    return net, jax.jit(net.init)(KEY, x), x, jax.jit(net.apply)


def test_network_at_256_pixels_has_the_papers_layers():
    """Encoder C64-C128-C256-C512 x 5; the decoder's inputs are twice its outputs, by the skips; 54.4 million."""
    g, d = unet.pair((256, 256, 3), norm="batch")
    y, variables = shapes(g, 1, 256, 256, 3)
    params = variables["params"]
    down = (3, 64, 128, 256, 512, 512, 512, 512, 512)
    inputs, outputs = (512, 1024, 1024, 1024, 1024, 512, 256, 128), (512, 512, 512, 512, 256, 128, 64, 3)
    assert y.shape == (1, 256, 256, 3)
    assert [params[f"Conv_{i}"]["kernel"].shape for i in range(8)] == [(4, 4, *down[i : i + 2]) for i in range(8)]
    assert [params[f"ConvTranspose_{i}"]["kernel"].shape for i in range(8)] == [
        (4, 4, *ends) for ends in zip(inputs, outputs, strict=True)
    ]
    normalized = [variables["batch_stats"][f"BatchNorm_{i}"]["mean"].size for i in range(13)]
    assert normalized == [*down[2:8], *outputs[:7]] and "BatchNorm_13" not in variables["batch_stats"]
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == pytest.approx(54.414e6, rel=2e-4)
    assert d.receptive_field == 70 and d.norm == "batch"


@pytest.mark.parametrize("side, levels", [(32, 5), (64, 6), (128, 7), (256, 8), (512, 8), (28, 5), (2, 1)])
def test_levels_halve_down_to_one_pixel_and_sizes_are_kept(side, levels):
    """Label maps of twelve classes to color images, of twice the width."""
    assert unet.levels((side, 2 * side, 3)) == levels
    g = unet.pair((side, 2 * side, 3), width=2).g
    assert shapes(g, 2, side, 2 * side, 12)[0].shape == (2, side, 2 * side, 3)


@pytest.mark.parametrize("shape", [(17, 20), (31, 33), (40, 64)])
def test_other_sizes_than_those_of_training_are_supported(shape):
    g = unet.Generator(levels=5, width=2)
    (y, variables), (_, trained) = shapes(g, 1, *shape, 3), shapes(g, 1, 32, 32, 3)
    assert y.shape == (1, *shape, 3) and variables == trained


def test_output_equals_the_layers_computed_by_hand(tiny):
    """Flax's layers of stride 2: three of the encoder, whose innermost has no norm, three of the decoder, two skips."""
    _, variables, x, apply = tiny

    def layer(kind, h, i):
        params = variables["params"][f"{kind.__name__}_{i}"]
        return kind(params["bias"].size, (4, 4), (2, 2)).apply({"params": params}, h)

    def norm(h):
        return nn.InstanceNorm(epsilon=1e-5, use_scale=False, use_bias=False).apply({}, h)

    @jax.jit
    def by_hand(x):
        first = layer(nn.Conv, x, 0)
        second = norm(layer(nn.Conv, nn.leaky_relu(first, 0.2), 1))
        h = layer(nn.Conv, nn.leaky_relu(second, 0.2), 2)
        h = jnp.concatenate([norm(layer(nn.ConvTranspose, nn.relu(h), 0)), second], axis=-1)
        h = jnp.concatenate([norm(layer(nn.ConvTranspose, nn.relu(h), 1)), first], axis=-1)
        return jnp.tanh(layer(nn.ConvTranspose, nn.relu(h), 2))

    np.testing.assert_allclose(apply(variables, x), by_hand(x), rtol=1e-3, atol=1e-5)


def test_equal_keys_give_equal_outputs_and_different_keys_different_ones(tiny):
    _, variables, x, apply = tiny
    y = apply(variables, x, keys(3))
    np.testing.assert_array_equal(y, apply(variables, x, keys(3)))
    difference = jnp.abs(y - apply(variables, x, keys(3, seed=1))).max(axis=(1, 2, 3))
    assert (difference > 1e-4).all()
    assert jnp.abs(y).max() <= 1


def test_examples_depend_on_their_own_image_and_key_only(tiny):
    _, variables, x, apply = tiny
    rotated = apply(variables, jnp.roll(x, 1, axis=0), jnp.roll(keys(3), 1))
    np.testing.assert_allclose(rotated, jnp.roll(apply(variables, x, keys(3)), 1, axis=0), rtol=1e-5, atol=1e-6)


def test_training_and_test_outputs_are_equal_with_instance_norm_but_not_with_batch_norm(tiny):
    net, variables, x, apply = tiny
    assert set(variables) == {"params"}
    trained, _ = jax.jit(lambda: net.apply(variables, x, keys(3), mutable=["batch_stats"]))()
    np.testing.assert_allclose(trained, apply(variables, x, keys(3)), rtol=1e-5, atol=1e-6)

    @jax.jit
    def both(x):
        other = unet.Generator(2, levels=3, width=3, norm="batch")
        variables = other.init(KEY, x)
        return other.apply(variables, x, mutable=["batch_stats"])[0], other.apply(variables, x)

    assert not np.allclose(*both(x), atol=1e-3)


def test_dropout_is_in_the_first_three_layers_of_the_decoder():
    g = unet.Generator(levels=6, width=2)
    x = jnp.ones((1, 64, 64, 3))
    _, seen = jax.eval_shape(lambda: g.init_with_output(KEY, x, keys(1), capture_intermediates=True, mutable=True))
    dropped = {name: out["__call__"][0].shape for name, out in seen["intermediates"].items() if "Dropout" in name}
    assert dropped == {"Dropout_0": (1, 2, 2, 16), "Dropout_1": (1, 4, 4, 16), "Dropout_2": (1, 8, 8, 8)}


def test_without_skips_the_decoder_takes_its_own_maps_only():
    params = shapes(unet.Generator(levels=3, width=2, skips=False), 1, 8, 8, 3)[1]["params"]
    assert [params[f"ConvTranspose_{i}"]["kernel"].shape[2] for i in range(3)] == [8, 4, 2]


def test_the_smallest_map_is_the_innermost_and_smaller_images_are_refused():
    assert shapes(unet.Generator(levels=5, width=1), 1, 17, 1, 3)[0].shape == (1, 17, 1, 3)
    with pytest.raises(BadInput, match="images of 16x9 are too small for 5 levels: give more than 16 pixels"):
        shapes(unet.Generator(levels=5, width=1), 1, 16, 9, 3)


@pytest.mark.parametrize("shape", [(2,), (1, 8, 3)])
def test_unsupported_examples_are_refused(shape):
    with pytest.raises(BadInput, match="are not supported: give images of two pixels"):
        unet.pair(shape)


def test_bfloat16_network_returns_float32():
    assert shapes(unet.Generator(levels=3, width=2, dtype=jnp.bfloat16), 1, 8, 8, 3)[0].dtype == jnp.float32
