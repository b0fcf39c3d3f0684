"""Dropout and batch norm: against flax's, and whatever devices the batch is split over."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax.sharding import PartitionSpec as P

from gan_jax.axis import batch_axis, mean_over_devices
from gan_jax.errors import BadInput
from gan_jax.nets.layers import BatchNorm, Dropout

close = partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-5)


def keys(n, seed=0):
    return jax.random.split(jax.random.key(seed), n)


def test_dropout_without_keys_or_rate_is_the_identity():
    x = jnp.ones((2, 3))
    assert Dropout(0.5).apply({}, x) is x
    assert Dropout(0.0).apply({}, x, keys(2)) is x


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_dropout_refuses_a_rate_outside_its_range(rate):
    with pytest.raises(BadInput, match="dropout rate"):
        Dropout(rate).apply({}, jnp.ones((2, 3)), keys(2))


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.9])
def test_dropout_drops_the_rounded_rate_and_keeps_the_mean(rate):
    n = 40_003  # no multiple of four: the last word is used in part
    y = Dropout(rate).apply({}, jnp.ones((2, n)), keys(2))
    rounded = round(256 * rate) / 256
    kept = jnp.mean(y > 0)
    assert abs(kept - (1 - rounded)) < 5 * (rounded * (1 - rounded) / (2 * n)) ** 0.5
    close(jnp.unique(y), [0, 1 / (1 - rounded)])


def test_dropout_depends_on_its_own_key_only():
    x = jnp.ones((4, 50))
    y = Dropout(0.5).apply({}, x, keys(4))
    np.testing.assert_array_equal(Dropout(0.5).apply({}, x[2:], keys(4)[2:]), y[2:])
    assert (y[0] != y[1]).any()


def test_dropouts_of_a_network_draw_apart():
    class Two(nn.Module):
        @nn.compact
        def __call__(self, x, keys):
            return Dropout(0.5)(x, keys), Dropout(0.5)(x, keys)

    first, second = Two().apply({}, jnp.ones((1, 100)), keys(1))
    assert 20 < jnp.sum(first != second) < 80


def test_dropout_keeps_the_dtype():
    assert Dropout(0.5).apply({}, jnp.ones((2, 3), jnp.bfloat16), keys(2)).dtype == jnp.bfloat16


def flax_norm(**kwargs):
    return nn.BatchNorm(momentum=0.7, epsilon=1e-3, **kwargs)


@pytest.mark.parametrize("shape", [(6, 3), (4, 5, 2, 3)])
def test_batch_norm_equals_flax(shape):
    x = 2 * jax.random.normal(jax.random.key(0), shape) + 1
    ours = BatchNorm(momentum=0.7, epsilon=1e-3)
    variables = flax_norm(use_running_average=False).init(jax.random.key(0), x)
    jax.tree.map(np.testing.assert_array_equal, ours.init(jax.random.key(0), x), variables)
    variables = jax.tree.map(lambda v: v + 0.3, variables)

    train = ours.apply(variables, x, mutable=["batch_stats"])
    jax.tree.map(close, train, flax_norm(use_running_average=False).apply(variables, x, mutable=["batch_stats"]))
    close(ours.apply(variables, x), flax_norm(use_running_average=True).apply(variables, x))

    def penalty(layer, x):
        """A gradient penalty, so that its gradient differentiates the layer twice."""
        score = lambda x: jnp.sum(jnp.tanh(layer.apply(variables, x, mutable=["batch_stats"])[0]))  # noqa: E731
        return jnp.sum(jnp.square(jax.grad(score)(x)))

    theirs = flax_norm(use_running_average=False)
    np.testing.assert_allclose(jax.grad(partial(penalty, ours))(x), jax.grad(partial(penalty, theirs))(x), atol=1e-3)


def test_batch_norm_over_devices_is_that_of_the_whole_batch():
    """Value, recorded statistics and gradients; the shares differ, so that local statistics would show."""
    x = jax.random.normal(jax.random.key(0), (16, 2)) + jnp.arange(32, dtype=jnp.float32).reshape(16, 2)
    layer = BatchNorm()
    variables = layer.init(jax.random.key(0), x)

    def play(variables, x):
        def loss(params):
            y, stats = layer.apply({**variables, "params": params}, x, mutable=["batch_stats"])
            return jnp.mean(jnp.tanh(y) ** 2), (y, stats)

        return jax.grad(loss, has_aux=True)(variables["params"])

    def share(variables, x):
        with batch_axis("batch"):
            grads, (y, stats) = play(variables, x)
            return mean_over_devices(grads), (y, stats)

    mesh = jax.make_mesh((8,), ("batch",), axis_types=(jax.sharding.AxisType.Auto,))
    specs = P(), (P("batch"), P())
    mapped = jax.shard_map(share, mesh=mesh, in_specs=(P(), P("batch")), out_specs=specs, check_vma=False)
    jax.tree.map(close, jax.jit(mapped)(variables, x), play(variables, x))


def test_batch_norm_statistics_are_float32():
    """In bfloat16 the sum of 999 ones and twos would stop growing at 512."""
    x = (1 + jnp.arange(1000) % 2).astype(jnp.bfloat16)[:, None]
    layer = BatchNorm(momentum=0.0)
    y, stats = layer.apply(layer.init(jax.random.key(0), x), x, mutable=["batch_stats"])
    assert y.dtype == jnp.bfloat16
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(stats))
    close(stats["batch_stats"]["mean"], [1.5])
    close(stats["batch_stats"]["var"], [0.25])
