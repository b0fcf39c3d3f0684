"""Networks at half the resolution: any size, gray and masked inputs, and a sum with the input."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.nets import enhancement, srgan
from gan_jax.nets.layers.resampling import pixel_unshuffle

pytestmark = pytest.mark.usefixtures("library_convolutions")
KEY = jax.random.key(0)


def test_sizes_and_channels_are_those_of_the_target_and_parameters_depend_on_channels_only():
    parameters = set()
    for shape in ((28, 28, 3), (33, 50, 3), (1, 1, 3)):
        net = enhancement.small(shape).g
        y, variables = jax.eval_shape(net.init_with_output, KEY, jax.ShapeDtypeStruct((2, *shape), jnp.float32))
        assert y.shape == (2, *shape) and set(variables) == {"params"}
        parameters.add(str(jax.tree.map(lambda leaf: leaf.shape, variables)))
    assert len(parameters) == 1


@pytest.mark.parametrize("channels", [1, 3])
def test_first_output_is_the_input(channels):
    """A network that begins anywhere else learns an identity first, for thousands of steps."""
    net, x = enhancement.small((6, 6, channels)).g, jax.random.normal(KEY, (2, 6, 6, channels))
    np.testing.assert_allclose(jax.jit(net.init_with_output)(KEY, x)[0], x, rtol=1e-6)


@pytest.mark.parametrize(("channels", "kept"), [(3, [0, 1, 2]), (1, [0, 0, 0])])
def test_output_is_the_input_plus_what_the_network_makes_of_its_blocks(channels, kept):
    """An odd side is continued by its last pixels; a gray input is repeated."""
    net = enhancement.HalfResolution(
        srgan.Generator(3, 2, width=2, blocks=0, kernel_size=1, residual=False, last_init=srgan.HE)
    )
    x = jax.random.normal(KEY, (2, 5, 4, channels))

    @jax.jit
    def run(x):
        y, variables = net.init_with_output(KEY, x)
        even = jnp.concatenate([x, x[:, -1:]], axis=1)
        return y, net.g.apply({"params": variables["params"]["g"]}, pixel_unshuffle(even, 2))

    y, change = run(x)
    assert change.shape == (2, 6, 4, 3) and float(jnp.abs(change).min()) > 0
    np.testing.assert_allclose(y, np.asarray(x)[..., kept] + np.asarray(change)[:, :5], rtol=1e-5, atol=1e-6)
