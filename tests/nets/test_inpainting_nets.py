"""Networks that fill holes: known pixels are kept, and every pixel of a hole depends on what surrounds it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.nets import inpainting

pytestmark = pytest.mark.usefixtures("library_convolutions")


@pytest.fixture(scope="module")
def filled():
    """A network at 16 x 16 pixels, its parameters, and images with a hole of 8 pixels in the middle."""
    net = inpainting.small((16, 16, 3)).g
    mask = jnp.zeros((1, 16, 16, 1)).at[:, 4:12, 4:12].set(1)
    a = jnp.concatenate([jax.random.normal(jax.random.key(1), (1, 16, 16, 3)), mask], axis=-1)
    return net, jax.jit(net.init)(jax.random.key(0), a), a


def test_known_pixels_are_kept_and_the_hole_is_not(filled):
    net, params, a = filled
    made = np.asarray(jax.jit(net.apply)(params, a))
    known = np.asarray(a[..., 3] == 0)
    np.testing.assert_array_equal(made[known], np.asarray(a[..., :3])[known])
    assert (made[~known] != np.asarray(a[..., :3])[~known]).all()


def test_the_middle_of_the_hole_depends_on_all_its_surroundings(filled):
    """A stack of small kernels would see the hole's own mean color there, and nothing else."""
    net, params, a = filled

    def middle(a):
        return net.apply(params, a)[0, 8, 8].sum()

    seen = np.abs(np.asarray(jax.jit(jax.grad(middle))(a))[0, ..., :3]).sum(-1) > 0
    assert seen.mean() > 0.99


def test_sizes_and_channels_are_those_of_the_target():
    for shape in ((28, 28, 1), (33, 50, 3)):
        net = inpainting.small(shape).g
        a = jax.ShapeDtypeStruct((2, *shape[:2], shape[2] + 1), jnp.float32)
        assert jax.eval_shape(net.init_with_output, jax.random.key(0), a)[0].shape == (2, *shape)
