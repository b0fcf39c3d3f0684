"""The equalized learning rate against kernels that are scaled by hand."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from gan_jax.nets.layers.convolution import Conv
from gan_jax.nets.layers.equalized import UNIT, Equalized
from gan_jax.nets.layers.resampling import DownConv, UpConv

close = partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6)
KEY = jax.random.key(0)
LAYERS = {
    "dense": (nn.Dense(6, kernel_init=UNIT), (3, 5), 5),
    "conv": (Conv(6, kernel_init=UNIT), (3, 4, 4, 5), 9 * 5),
    "up": (UpConv(6, kernel_init=UNIT), (3, 4, 4, 5), 9 * 5),
    "down": (DownConv(6, kernel_init=UNIT), (3, 4, 4, 5), 9 * 5),
}


def squares(layer, params, x):
    return jnp.sum(jnp.square(layer.apply(params, x)))


@pytest.mark.parametrize("name", LAYERS)
def test_kernels_are_scaled_by_the_number_of_their_inputs(name):
    layer, shape, inputs = LAYERS[name]
    x = jax.random.normal(KEY, shape)
    equalized = Equalized(layer, gain=2.0, rate=0.5)
    stored = equalized.init(KEY, x)["params"]["layer"]
    assert np.std(stored["kernel"]) == pytest.approx(1, rel=0.2), "stored as they are initialized"
    stored = {**stored, "bias": jnp.arange(6.0)}
    by_hand = {"kernel": stored["kernel"] * 2.0 * 0.5 / inputs**0.5, "bias": 0.5 * stored["bias"]}
    close(equalized.apply({"params": {"layer": stored}}, x), layer.apply({"params": by_hand}, x))


def test_outputs_have_the_variance_of_the_inputs():
    x = jax.random.normal(KEY, (64, 200))
    y, _ = Equalized(nn.Dense(300, kernel_init=nn.initializers.normal(100.0)), rate=0.01).init_with_output(KEY, x)
    assert np.std(y) == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("rate", [1.0, 0.1])
def test_adam_moves_kernels_of_all_sizes_by_the_same_share(rate):
    """By the learning rate, times `rate`, of their standard deviation."""
    layer = Equalized(nn.Dense(3, kernel_init=nn.initializers.normal(1 / rate)), rate=rate)
    for inputs in (4, 400):
        x = jax.random.normal(KEY, (8, inputs))
        params = layer.init(KEY, x)
        tx = optax.adam(0.01, eps=1e-30)
        grads = jax.grad(squares, argnums=1)(layer, params, x)
        with jax.numpy_dtype_promotion("standard"):  # optax counts in integers
            updates, _ = tx.update(grads, tx.init(params), params)
        close(jnp.abs(updates["params"]["layer"]["kernel"]) * rate, 0.01 * rate, rtol=1e-3)


def test_penalties_of_gradients_reach_the_kernels():
    layer, shape, _ = LAYERS["conv"]
    layer, x = Equalized(layer), jax.random.normal(KEY, shape)
    params = layer.init(KEY, x)

    def penalty(params):
        return jnp.sum(jnp.square(jax.grad(squares, argnums=2)(layer, params, x)))

    assert jnp.all(jax.grad(penalty)(params)["params"]["layer"]["kernel"] != 0)
