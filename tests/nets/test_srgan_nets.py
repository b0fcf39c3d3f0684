"""The networks of SRGAN: the paper's parameters, a forward pass by hand, any size, the bicubic start."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from PIL import Image

from gan_jax import BadInput
from gan_jax.nets import srgan
from gan_jax.nets.layers.resampling import pixel_shuffle

close = partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-4)
KEY = jax.random.key(0)


pytestmark = pytest.mark.usefixtures("library_convolutions")


def shapes(net, *shape, dtype=jnp.float32):
    return jax.eval_shape(net.init_with_output, KEY, jax.ShapeDtypeStruct(shape, dtype))


def size(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def test_networks_have_the_papers_parameters():
    """Counts 16 blocks of 64 maps, and lists the discriminator's kernels of fig. 4."""
    g, d = srgan.paper((96, 96, 3))
    x, of_g = shapes(g, 2, 24, 24, 3)
    scores, of_d = shapes(d, *x.shape)
    assert x.shape == (2, 96, 96, 3) and scores.shape == (2,)
    conv = lambda k, n, m: k * k * n * m + m  # noqa: E731
    block = 2 * conv(3, 64, 64) + 2 * 2 * 64 + 1
    ends = conv(9, 3, 64) + 1 + conv(3, 64, 64) + 2 * 64 + conv(9, 64, 3)
    assert size(of_g["params"]) == ends + 16 * block + 2 * (conv(3, 64, 256) + 1) == 1_549_462
    widths = (3, 64, 64, 128, 128, 256, 256, 512, 512)
    for i in range(8):
        assert of_d["params"][f"Conv_{i}"]["kernel"].shape == (3, 3, *widths[i : i + 2])
    assert [s["mean"].shape for s in of_d["batch_stats"].values()] == [(width,) for width in widths[2:]]
    assert of_d["params"]["Dense_0"]["kernel"].shape == (6 * 6 * 512, 1024)


def test_small_generator_has_six_blocks_of_32_maps_and_no_statistics():
    x, variables = shapes(srgan.small((96, 96, 3)).g, 2, 24, 24, 3)
    assert x.shape == (2, 96, 96, 3) and set(variables) == {"params"}
    assert sum("Block" in name for name in variables["params"]) == 6
    assert variables["params"]["Block_5"]["Conv_1"]["kernel"].shape == (3, 3, 32, 32)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_parameters_do_not_depend_on_the_size_of_images(scale):
    g = srgan.Generator(scale=scale, width=4, blocks=1)
    (small, of_small), (large, of_large) = shapes(g, 1, 8, 8, 3), shapes(g, 2, 31, 50, 3)
    assert small.shape == (1, 8 * scale, 8 * scale, 3) and large.shape == (2, 31 * scale, 50 * scale, 3)
    assert of_small == of_large


@pytest.mark.medium
def test_output_equals_the_layers_computed_by_hand():
    """One block, two times: head, block with its scaled sum, the long sum, pixel shuffle, end."""
    g = srgan.Generator(channels=2, scale=2, width=3, blocks=1, kernel_size=5, residual=False, last_init=srgan.HE)
    x = jax.random.normal(KEY, (2, 4, 5, 2))
    slopes = {"PReLU_0": 0.1, "Block_0": 0.2, "PReLU_1": 0.4}

    def conv(x, layer):
        y = lax.conv_general_dilated(x, layer["kernel"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        return y + layer["bias"].reshape(1, 1, 1, -1)

    def prelu(x, slope):
        return jnp.maximum(x, 0) + slope * jnp.minimum(x, 0)

    @jax.jit
    def run(x):
        params = g.init(KEY, x)["params"]
        for name, slope in slopes.items():
            (params[name] if "PReLU" in name else params[name]["PReLU_0"])["negative_slope"] = jnp.float32(slope)
        block = params["Block_0"]
        first = prelu(conv(x, params["Conv_0"]), 0.1)
        h = first + 0.2 * conv(prelu(conv(first, block["Conv_0"]), 0.2), block["Conv_1"])
        h = first + conv(h, params["Conv_1"])
        h = prelu(pixel_shuffle(conv(h, params["Conv_2"]), 2), 0.4)
        return g.apply({"params": params}, x), conv(h, params["Conv_3"])

    close(*run(x))


def start(g, x):
    return g.init_with_output(KEY, x)[0]


def test_residual_generator_begins_at_the_bicubic_image():
    """Compares it with Pillow's."""
    x = jax.random.uniform(KEY, (1, 6, 9, 1), minval=-1)
    generators = [srgan.Generator(1, scale, width=2, blocks=0, kernel_size=1) for scale in (2, 4)]
    outputs = jax.jit(lambda x: [start(g, x) for g in generators])(x)
    for g, y in zip(generators, outputs, strict=True):
        size = (9 * g.scale, 6 * g.scale)
        theirs = Image.fromarray(np.array(x[0, :, :, 0])).resize(size, Image.Resampling.BICUBIC)
        close(y[0, :, :, 0], np.asarray(theirs))


def test_scale_1_begins_at_the_input_without_its_mask_or_with_a_gray_one_repeated():
    cases = [(3, [0, 1, 2]), (4, [0, 1, 2]), (1, [0, 0, 0]), (2, [0])]
    inputs = [jax.random.normal(KEY, (2, 4, 5, c)) for c, _ in cases]
    generators = [srgan.Generator(len(kept), 1, width=2, blocks=0, kernel_size=1) for _, kept in cases]
    outputs = jax.jit(lambda inputs: [start(g, x) for g, x in zip(generators, inputs, strict=True)])(inputs)
    for (_, kept), x, y in zip(cases, inputs, outputs, strict=True):
        np.testing.assert_array_equal(y, np.asarray(x)[..., kept])


@pytest.mark.parametrize("scale", [0, 3, 6])
def test_scales_other_than_powers_of_two_are_refused(scale):
    with pytest.raises(BadInput, match=f"scale {scale} is not supported: choose one of 1, 2, 4, 8"):
        shapes(srgan.Generator(scale=scale), 1, 8, 8, 3)


def test_residual_of_too_few_channels_is_refused():
    with pytest.raises(BadInput, match="3 channels are not a residual of images of 2: give 1 or at least 3"):
        shapes(srgan.Generator(), 1, 8, 8, 2)


@pytest.mark.parametrize("preset", [srgan.paper, srgan.small])
def test_examples_other_than_images_are_refused(preset):
    with pytest.raises(BadInput, match="examples of 2 are not supported: give images"):
        preset((2,))


def test_bfloat16_networks_return_float32():
    for net, side in ((srgan.Generator(dtype=jnp.bfloat16), 8), (srgan.Discriminator(dtype=jnp.bfloat16), 32)):
        assert shapes(net, 1, side, side, 3)[0].dtype == jnp.float32
