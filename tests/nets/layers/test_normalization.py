"""Dropout, batch norm, instance norm and pixel norm: against flax, hand computation, and over devices."""

import inspect
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax.sharding import PartitionSpec as P

from gan_jax.engine.collectives import batch_axis, pmean
from gan_jax.errors import BadInput
from gan_jax.nets.layers.dropout import Dropout
from gan_jax.nets.layers.normalization import (
    AdaptiveBatchNorm,
    BatchNorm,
    ConditionalBatchNorm,
    InstanceNorm,
    normalize,
    pixel_norm,
)

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
def test_dropout_applies_the_rounded_rate_and_keeps_the_mean(rate):
    n = 40_003  # not a multiple of four: the last random word is used in part
    y = Dropout(rate).apply({}, jnp.ones((2, n)), keys(2))
    rounded = round(256 * rate) / 256
    kept = jnp.mean(y > 0)
    assert abs(kept - (1 - rounded)) < 5 * (rounded * (1 - rounded) / (2 * n)) ** 0.5
    close(jnp.unique(y), [0, 1 / (1 - rounded)])


@pytest.mark.medium
def test_dropout_depends_only_on_the_key_of_the_example():
    x = jnp.ones((4, 50))
    y = Dropout(0.5).apply({}, x, keys(4))
    np.testing.assert_array_equal(Dropout(0.5).apply({}, x[2:], keys(4)[2:]), y[2:])
    assert (y[0] != y[1]).any()


def test_dropouts_of_one_network_are_independent():
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


@pytest.mark.medium
@pytest.mark.parametrize("shape", [(6, 3), (4, 5, 2, 3)])
def test_batch_norm_equals_flax(shape):
    x = 2 * jax.random.normal(jax.random.key(0), shape) + 1
    ours = BatchNorm(momentum=0.7, epsilon=1e-3)
    training, evaluating = (flax_norm(use_running_average=running) for running in (False, True))

    def penalty(layer, variables, x):
        """Computes a gradient penalty, whose gradient differentiates the layer twice."""
        score = lambda x: jnp.sum(jnp.tanh(layer.apply(variables, x, mutable=["batch_stats"])[0]))  # noqa: E731
        return jnp.sum(jnp.square(jax.grad(score)(x)))

    @jax.jit
    def run(x):
        fresh = [layer.init(jax.random.key(0), x) for layer in (ours, training)]
        variables = jax.tree.map(lambda v: v + 0.3, fresh[0])
        trained = [layer.apply(variables, x, mutable=["batch_stats"]) for layer in (ours, training)]
        evaluated = [layer.apply(variables, x) for layer in (ours, evaluating)]
        return fresh, (trained, evaluated), [jax.grad(penalty, 2)(layer, variables, x) for layer in (ours, training)]

    fresh, values, twice = run(x)
    jax.tree.map(np.testing.assert_array_equal, *fresh)
    for ours, theirs in values:
        jax.tree.map(close, ours, theirs)
    np.testing.assert_allclose(*twice, atol=1e-3)


def test_batch_norm_over_devices_equals_the_whole_batch():
    """Compares value, statistics and gradients; the shards differ, so that local statistics would fail."""
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
            return pmean(grads), (y, stats)

    mesh = jax.make_mesh((8,), ("batch",), axis_types=(jax.sharding.AxisType.Auto,))
    specs = P(), (P("batch"), P())
    mapped = jax.shard_map(share, mesh=mesh, in_specs=(P(), P("batch")), out_specs=specs, check_vma=False)
    jax.tree.map(close, jax.jit(mapped)(variables, x), jax.jit(play)(variables, x))


def test_batch_norm_statistics_are_float32():
    """In bfloat16 a sum of ones and twos would stop growing at 512."""
    x = (1 + jnp.arange(1000) % 2).astype(jnp.bfloat16)[:, None]
    layer = BatchNorm(momentum=0.0)
    y, stats = layer.apply(layer.init(jax.random.key(0), x), x, mutable=["batch_stats"])
    assert y.dtype == jnp.bfloat16
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(stats))
    close(stats["batch_stats"]["mean"], [1.5])
    close(stats["batch_stats"]["var"], [0.25])


def conditional_by_hand(x, y, scale, bias, mean, var, epsilon):
    """Normalizes element by element."""
    out = np.empty(x.shape)
    for place in np.ndindex(*x.shape):
        b, c = place[0], place[-1]
        out[place] = (x[place] - mean[c]) / np.sqrt(var[c] + epsilon) * scale[y[b], c] + bias[y[b], c]
    return out


def conditional_case(shape, classes=4, **kwargs):
    """Makes a layer with distinct rows and running statistics, a batch, and its labels."""
    offsets = jnp.arange(1.0, 1 + shape[0]).reshape(-1, *(1,) * (len(shape) - 1))
    x = 2 * jax.random.normal(jax.random.key(0), shape) + offsets
    y = jnp.array([3, 1, 1, 0, 3, 3], jnp.int32)[: shape[0]]
    layer = ConditionalBatchNorm(classes, **kwargs)
    variables = layer.init(jax.random.key(0), x, y)
    own = iter(jax.random.split(jax.random.key(1), 10))
    return layer, jax.tree.map(lambda v: v + jax.random.uniform(next(own), v.shape), variables), x, y


@pytest.mark.medium
@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 2, 3)])
def test_conditional_batch_norm_equals_plain_loops(shape):
    """With batch statistics in training, for one class or four in the batch, and with running statistics after."""
    layer, variables, x, y = conditional_case(shape, momentum=0.9, epsilon=0.5)
    params = jax.tree.map(np.asarray, variables["params"])
    running = jax.tree.map(np.asarray, variables["batch_stats"]["norm"])
    wide = np.asarray(x, np.float64)
    axes = tuple(range(wide.ndim - 1))
    mean, var = wide.mean(axes), wide.var(axes)
    by_hand = partial(conditional_by_hand, wide, y.tolist(), params["scale"], params["bias"])

    trained, stats = layer.apply(variables, x, y, mutable=["batch_stats"])
    np.testing.assert_allclose(trained, by_hand(mean, var, 0.5), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(layer.apply(variables, x, y), by_hand(**running, epsilon=0.5), rtol=1e-4, atol=1e-4)
    expected = {"mean": 0.9 * running["mean"] + 0.1 * mean, "var": 0.9 * running["var"] + 0.1 * var}
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-4), stats["batch_stats"]["norm"], expected)
    other = layer.apply(variables, x, y[::-1], mutable=["batch_stats"])[1]
    jax.tree.map(np.testing.assert_array_equal, other, stats)


def test_conditional_batch_norm_starts_as_batch_norm():
    layer, _, x, y = conditional_case((6, 3), momentum=0.7)
    variables = layer.init(jax.random.key(0), x, y)
    assert jax.tree.map(jnp.shape, variables["params"]) == {"scale": (4, 3), "bias": (4, 3)}
    assert (variables["params"]["scale"] == 1).all() and (variables["params"]["bias"] == 0).all()
    x = np.asarray(x)
    expected = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
    close(layer.apply(variables, jnp.asarray(x), y, mutable=["batch_stats"])[0], expected)


def test_conditional_batch_norm_with_equal_rows_equals_flax():
    layer, variables, x, y = conditional_case((4, 3, 2, 3), momentum=0.7, epsilon=1e-3)
    row = {name: table[:1] for name, table in variables["params"].items()}
    shared = {name: jnp.tile(r, (4, 1)) for name, r in row.items()}
    stats = variables["batch_stats"]["norm"]
    theirs = {"params": {name: r[0] for name, r in row.items()}, "batch_stats": stats}
    train = layer.apply({**variables, "params": shared}, x, y, mutable=["batch_stats"])
    expected = flax_norm(use_running_average=False).apply(theirs, x, mutable=["batch_stats"])
    close(train[0], expected[0])
    jax.tree.map(close, train[1]["batch_stats"]["norm"], expected[1]["batch_stats"])
    slow = layer.apply({**variables, "params": shared}, x, y)
    close(slow, flax_norm(use_running_average=True).apply(theirs, x))


def test_rows_of_absent_classes_have_no_gradient():
    layer, variables, x, y = conditional_case((6, 3))

    def loss(params):
        return jnp.sum(jnp.tanh(layer.apply({**variables, "params": params}, x, y, mutable=["batch_stats"])[0]))

    for table in jax.grad(loss)(variables["params"]).values():
        assert (table[2] == 0).all() and (table[jnp.array([0, 1, 3])] != 0).all()


def test_conditional_batch_norm_keeps_the_dtype():
    layer, variables, x, y = conditional_case((6, 3))
    half, stats = layer.apply(variables, x.astype(jnp.bfloat16), y, mutable=["batch_stats"])
    assert half.dtype == jnp.bfloat16
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(stats))


def test_adaptive_batch_norm_applies_the_vector_of_each_video_to_all_its_frames():
    random = np.random.RandomState(0)
    x, v = random.normal(1, 2, (3, 2, 4, 5)).astype(np.float32), random.normal(size=(3, 6)).astype(np.float32)
    gain, bias = random.normal(size=(2, 6, 5)).astype(np.float32)
    params = {"affine": {"kernel": np.concatenate([gain, bias], axis=1)}}
    layer = AdaptiveBatchNorm(epsilon=0.5)
    start = {"norm": {"mean": jnp.zeros(5), "var": jnp.ones(5)}}
    train = jax.jit(lambda variables, *args: layer.apply(variables, *args, mutable=["batch_stats"]))
    found, stats = train({"params": params, "batch_stats": start}, x, v)
    normal = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 0.5)
    for b in range(3):
        np.testing.assert_allclose(found[b], normal[b] * (1 + v[b] @ gain) + v[b] @ bias, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(stats["batch_stats"]["norm"]["mean"], 0.1 * x.mean((0, 1, 2)), rtol=1e-4)


@pytest.mark.parametrize("affine", [False, True])
def test_instance_norm_equals_flax(affine):
    x = 2 * jax.random.normal(jax.random.key(0), (4, 5, 2, 3)) + 100
    params = {"scale": jnp.array([1.0, 2, 3]), "bias": jnp.array([0.0, 1, -1])} if affine else {}
    theirs = nn.InstanceNorm(epsilon=1e-5, use_scale=affine, use_bias=affine, use_fast_variance=False)
    y = InstanceNorm(affine=affine).apply({"params": params}, x)
    np.testing.assert_allclose(y, theirs.apply({"params": params}, x), rtol=1e-3, atol=1e-4)


def test_instance_norm_keeps_no_statistics_and_its_dtype():
    x = jnp.ones((2, 3, 3, 2), jnp.bfloat16)
    y, variables = InstanceNorm(affine=True).init_with_output(jax.random.key(0), x)
    assert y.dtype == jnp.bfloat16 and set(variables) == {"params"}
    assert InstanceNorm().init(jax.random.key(0), x) == {}


@pytest.mark.parametrize("shape", [(4, 3), (2, 5, 3, 4)])
def test_pixel_norm_equals_plain_loops(shape):
    x = np.random.RandomState(0).normal(1, 3, shape)
    expected = np.empty(shape)
    for place in np.ndindex(*shape[:-1]):
        expected[place] = x[place] / np.sqrt(np.mean(x[place] ** 2) + 1e-8)
    close(pixel_norm(jnp.asarray(x, jnp.float32)), expected)


def test_pixel_norm_of_zeros_has_finite_derivatives_and_keeps_the_dtype():
    x = jnp.zeros((2, 3), jnp.bfloat16)
    assert pixel_norm(x).dtype == jnp.bfloat16
    assert jnp.isfinite(jax.grad(lambda x: pixel_norm(x).sum())(x.astype(jnp.float32))).all()


def test_unknown_norm_is_refused():
    """Without the type check of the tests, which refuses it too."""
    with pytest.raises(BadInput, match='norm "layer" is not supported: choose one of none, batch, instance'):
        inspect.unwrap(normalize)(jnp.ones((2, 3)), "layer")
