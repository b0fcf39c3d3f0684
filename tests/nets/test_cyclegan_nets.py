"""The networks of CycleGAN: the paper's layers, reflected borders, any size."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax import lax

from gan_jax import BadInput
from gan_jax.nets import cyclegan, unet

close = partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-4)
KEY = jax.random.key(0)


pytestmark = pytest.mark.usefixtures("library_convolutions")


def shapes(net, *shape):
    return jax.eval_shape(net.init_with_output, KEY, jax.ShapeDtypeStruct(shape, jnp.float32))


def test_network_at_256_pixels_has_the_papers_layers():
    """c7s1-64, d128, d256, R256 x 9, u128, u64, c7s1-3: 11.378 million parameters, as the authors' program prints."""
    g, d = cyclegan.paper((256, 256, 3))
    y, variables = shapes(g, 1, 256, 256, 3)
    params = variables["params"]
    kernel = lambda name: params[name]["kernel"].shape  # noqa: E731
    assert y.shape == (1, 256, 256, 3) and set(variables) == {"params"}
    assert [kernel(f"Conv_{i}") for i in range(4)] == [(7, 7, 3, 64), (3, 3, 64, 128), (3, 3, 128, 256), (7, 7, 64, 3)]
    assert [kernel(f"ConvTranspose_{i}") for i in range(2)] == [(3, 3, 256, 128), (3, 3, 128, 64)]
    assert params["Block_8"]["Conv_1"]["kernel"].shape == (3, 3, 256, 256) and "Block_9" not in params
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == 11_378_179
    assert shapes(d, 1, 256, 256, 3)[0].shape == (1, 30, 30)
    assert cyclegan.paper((128, 128, 3)).g.blocks == 6


@pytest.mark.parametrize("resize", [False, True])
@pytest.mark.parametrize("shape", [(28, 28, 1), (30, 35, 3)])
def test_sizes_are_kept_and_parameters_do_not_depend_on_them(shape, resize):
    g = cyclegan.Generator(3, width=2, blocks=1, resize=resize)
    (y, variables), (_, trained) = shapes(g, 2, *shape), shapes(g, 2, 32, 32, shape[-1])
    assert y.shape == (2, *shape[:2], 3) and variables == trained


def test_small_networks_translate_gray_and_color_images():
    for channels in (1, 3):
        g, d = cyclegan.small((32, 32, channels))
        y, variables = shapes(g, 2, 32, 32, 4 - channels)
        assert y.shape == (2, 32, 32, channels) and shapes(d, *y.shape)[0].shape == (2, 6, 6)
        assert {"UpConv_0", "UpConv_1", "Block_1"} < set(variables["params"])


@pytest.mark.medium
@pytest.mark.parametrize("resize", [False, True])
def test_output_equals_the_layers_computed_by_hand(resize):
    """Of one block; numpy's reflected borders, flax's instance norm and transposed convolution."""
    g = cyclegan.Generator(channels=2, width=2, blocks=1, resize=resize)
    x = jax.random.normal(KEY, (2, 8, 12, 2))

    def conv(h, layer, border=0, padding="VALID", stride=1):
        h = jnp.pad(h, ((0, 0), (border, border), (border, border), (0, 0)), mode="reflect")
        dims = ("NHWC", "HWIO", "NHWC")
        y = lax.conv_general_dilated(h, layer["kernel"], (stride, stride), padding, dimension_numbers=dims)
        return y + layer["bias"].reshape(1, 1, 1, -1)

    def norm(h):
        return nn.InstanceNorm(epsilon=1e-5, use_scale=False, use_bias=False).apply({}, h)

    def up(h, layer):
        if resize:
            return conv(h.repeat(2, axis=1).repeat(2, axis=2), layer, padding="SAME")
        return nn.ConvTranspose(layer["bias"].size, (3, 3), (2, 2)).apply({"params": layer}, h)

    @jax.jit
    def run(x):
        y, variables = g.init_with_output(KEY, x)
        params = variables["params"]
        h = nn.relu(norm(conv(x, params["Conv_0"], 3)))
        for i in (1, 2):
            h = nn.relu(norm(conv(h, params[f"Conv_{i}"], padding="SAME", stride=2)))
        block = params["Block_0"]
        h += norm(conv(nn.relu(norm(conv(h, block["Conv_0"], 1))), block["Conv_1"], 1))
        for i in (0, 1):
            h = nn.relu(norm(up(h, params[("UpConv_" if resize else "ConvTranspose_") + str(i)])))
        return y, jnp.tanh(conv(h, params["Conv_3"], 3))

    close(*run(x))


@pytest.mark.parametrize("preset, least", [(cyclegan.paper, 24), (cyclegan.small, 12)])
def test_unsupported_examples_are_refused(preset, least):
    for shape in ((2,), (least - 1, 64, 3)):
        with pytest.raises(BadInput, match=f"are not supported: give images of {least} pixels a side or more"):
            preset(shape)
    assert shapes(preset((least, least, 1)).d, 1, least, least, 1)[0].shape == (1, 1, 1)


@pytest.mark.parametrize("net", [cyclegan.small((32, 32, 3)).g, *unet.pair((32, 32, 3), 2, receptive_field=34)])
def test_every_kernel_is_drawn_with_standard_deviation_0_02(net):
    """In pix2pix's networks too."""
    initializers = []

    def record(call, args, kwargs, context):
        if context.module.path and hasattr(context.module, "kernel_init"):  # a U-Net has a field of this name
            initializers.append(context.module.kernel_init)
        return call(*args, **kwargs)

    with nn.intercept_methods(record):
        _, variables = shapes(net, 1, 32, 32, 3)
    assert len(initializers) == sum(leaf.ndim > 1 for leaf in jax.tree.leaves(variables["params"]))
    for init in set(initializers):
        kernel = init(KEY, (3, 3, 20, 20))
        assert abs(kernel.std() - 0.02) < 0.001 and abs(kernel.mean()) < 0.001


def test_bfloat16_network_returns_float32():
    assert shapes(cyclegan.Generator(width=2, blocks=1, dtype=jnp.bfloat16), 1, 8, 8, 3)[0].dtype == jnp.float32
