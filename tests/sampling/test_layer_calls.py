"""Records of what layers take and give."""

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
import pytest
from drawn import drawn

from gan_jax.nets.layers.convolution import Conv
from gan_jax.nets.layers.equalized import Equalized
from gan_jax.nets.layers.normalization import BatchNorm
from gan_jax.sampling.layers import layer_calls


class Net(nn.Module):
    @nn.compact
    def __call__(self, z):
        x = nn.relu(BatchNorm()(nn.Dense(8)(z))).reshape(-1, 2, 2, 2)
        return Equalized(Conv(3, 3))(x)


@pytest.mark.slow
def test_layers_with_a_kernel_are_recorded_in_order_with_inputs_and_outputs():
    net, z = Net(), jnp.ones((2, 4))
    variables = drawn(net, z)
    images = []
    first, second = layer_calls(lambda: images.append(net.apply(variables, z)))
    assert (first.name, first.x.shape, first.y.shape) == ("Dense_0", (2, 4), (2, 8))
    assert second.name.endswith("Conv_0")
    assert second.x.shape == (2, 2, 2, 2)
    np.testing.assert_array_equal(second.y, images[0])
