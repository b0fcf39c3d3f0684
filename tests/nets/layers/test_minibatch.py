"""Layers that compare examples, against hand computation and over devices."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax.sharding import PartitionSpec as P

from gan_jax import penalties
from gan_jax.engine.collectives import batch_axis, pmean
from gan_jax.engine.parallel import make_mesh
from gan_jax.errors import BadInput
from gan_jax.nets.layers.dropout import Dropout
from gan_jax.nets.layers.minibatch import MinibatchDiscrimination, MinibatchStdDev
from gan_jax.nets.layers.packed import Packed

close = partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5)
KEY = jax.random.key(0)


def test_minibatch_discrimination_equals_hand_computation():
    """Two features as two rows of one number; the distances between 0, 1 and 3 are 1, 2 and 3."""
    x = jnp.array([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0]])
    params = {"params": {"Dense_0": {"kernel": jnp.array([[1.0, 0.0], [0.0, 1.0]])}}}
    e = np.exp(-np.arange(4.0))
    expected = [[0, 0, e[0] + e[1] + e[3], 3], [1, 0, e[0] + e[1] + e[2], 3], [3, 0, e[0] + e[2] + e[3], 3]]
    for form in (lambda f: f, jax.jit):
        close(form(MinibatchDiscrimination(kernels=2, size=1).apply)(params, x), expected)


def test_minibatch_discrimination_uses_l1_distances_of_rows():
    x = jnp.array([[0.0, 0.0], [3.0, -4.0]])
    params = {"params": {"Dense_0": {"kernel": jnp.eye(2)}}}
    close(MinibatchDiscrimination(1, 2).apply(params, x)[:, 2], np.full(2, 1 + np.exp(-7.0)))


def test_minibatch_stddev_equals_hand_computation():
    x = jnp.array([[1.0, 10.0], [3.0, 10.0], [1.0, 16.0], [3.0, 16.0]])  # deviations 1 and 3
    for form in (lambda f: f, jax.jit):
        close(form(MinibatchStdDev().apply)({}, x), np.concatenate([x, np.full((4, 1), 2.0)], axis=1))
    lanes = jax.vmap(lambda x: MinibatchStdDev().apply({}, x))(jnp.stack([x, 2 * x]))
    close(lanes[:, 0, 2], [2.0, 4.0])


def stddev_by_hand(x, group):
    """Computes the feature of every example by loops over groups and inputs."""
    features = []
    for start in range(0, len(x), group):
        inputs = x[start : start + group].reshape(group, -1)
        deviations = [np.sqrt(np.mean((column - column.mean()) ** 2) + 1e-8) for column in inputs.T]
        features += group * [np.mean(deviations)]
    return np.array(features)


@pytest.mark.parametrize("group", [1, 2, 4, 12])
def test_minibatch_stddev_of_groups_equals_plain_loops(group):
    x = np.random.RandomState(0).normal(size=(12, 2, 3, 5)) * np.arange(1, 13)[:, None, None, None]
    feature = MinibatchStdDev(group).apply({}, jnp.asarray(x, jnp.float32))[..., 5]
    close(feature, np.broadcast_to(stddev_by_hand(x, group)[:, None, None], (12, 2, 3)))


def test_one_group_of_the_whole_batch_has_the_bits_of_none():
    x = jax.random.normal(KEY, (6, 2, 2, 3))
    np.testing.assert_array_equal(MinibatchStdDev(6).apply({}, x), MinibatchStdDev().apply({}, x))


@pytest.mark.parametrize("size", [2, 6])
def test_batch_without_whole_groups_is_refused(size):
    with pytest.raises(BadInput, match=f"a batch of {size} has no groups of 4: give a multiple of 4"):
        MinibatchStdDev(4).apply({}, jnp.ones((size, 3)))


def test_groups_within_devices_have_the_bits_of_one_device():
    x = jax.random.normal(KEY, (16, 2, 2, 3))

    def share(x):
        with batch_axis("batch"):
            return MinibatchStdDev(2).apply({}, x)

    split = jax.jit(jax.shard_map(share, mesh=make_mesh(), in_specs=P("batch"), out_specs=P("batch"), check_vma=False))
    np.testing.assert_array_equal(split(x), jax.jit(MinibatchStdDev(2).apply)({}, x))


@pytest.mark.medium
@pytest.mark.parametrize("layer", [MinibatchDiscrimination(3, 2), MinibatchStdDev(), MinibatchStdDev(2)])
def test_statistics_are_appended_to_images_as_constant_channels(layer):
    x = jax.random.normal(KEY, (4, 2, 5, 2))
    y, variables = jax.jit(layer.init_with_output)(KEY, x)
    np.testing.assert_array_equal(y[..., :2], x)
    assert y.shape[:-1] == x.shape[:-1]
    np.testing.assert_array_equal(y[..., 2:], np.broadcast_to(y[:, :1, :1, 2:], y[..., 2:].shape))
    flat = layer.apply(variables, x.reshape(4, -1))
    close(y[:, 0, 0, 2:], flat[:, 20:])


def test_equal_examples_have_finite_second_derivatives():
    x = jnp.ones((4, 3))
    score = lambda x: jnp.sum(MinibatchStdDev().apply({}, x), axis=1)  # noqa: E731
    twice = jax.jit(jax.grad(lambda x: penalties.r1(score, x).sum()))
    assert bool(jnp.isfinite(twice(x)).all())


class Critic(nn.Module):
    @nn.compact
    def __call__(self, x, keys=None):
        x = MinibatchStdDev()(MinibatchDiscrimination(2, 2)(x))
        return nn.Dense(1)(jnp.tanh(x))[:, 0]


@pytest.mark.medium
def test_layers_over_eight_devices_compare_the_whole_batch():
    """Compares scores, a penalty on them, and the gradients of both with respect to the parameters."""
    x = jax.random.normal(KEY, (16, 2)) * jnp.linspace(0.1, 1, 16)[:, None]
    variables = Critic().init(KEY, x)

    def play(variables, x):
        def loss(variables):
            critic = partial(Critic().apply, variables)
            return jnp.mean(jnp.square(critic(x)) + penalties.r1(critic, x)), critic(x)

        return jax.grad(loss, has_aux=True)(variables)

    def share(variables, x):
        with batch_axis("batch"):
            gradients, scores = play(variables, x)
            return pmean(gradients), scores

    specs = {"in_specs": (P(), P("batch")), "out_specs": (P(), P("batch"))}
    split = jax.jit(jax.shard_map(share, mesh=make_mesh(), check_vma=False, **specs))
    jax.tree.map(close, split(variables, x), jax.jit(play)(variables, x))


class Rows(nn.Module):
    """Sums the channels over space and returns the sums as digits of one number."""

    @nn.compact
    def __call__(self, x, keys=None):
        channels = x.reshape(x.shape[0], -1, x.shape[-1]).sum(1)
        digits = channels @ (10 ** jnp.arange(x.shape[-1], dtype=jnp.float32)[::-1])
        return Dropout(0.5)(digits[:, None], keys)[:, 0]


def test_packs_hold_consecutive_examples():
    points = jnp.arange(1.0, 9.0).reshape(4, 2)
    close(Packed(Rows(), 2).apply({}, points), [1234.0, 5678.0])
    close(jax.jit(Packed(Rows(), 4).apply)({}, points), [12345678.0])
    close(Packed(Rows(), 1).apply({}, points), [12.0, 34.0, 56.0, 78.0])


def test_packed_images_are_concatenated_along_channels():
    images = jnp.arange(1.0, 9.0).reshape(4, 1, 1, 2) * jnp.array([0.25, 0.75]).reshape(1, 1, 2, 1)
    close(Packed(Rows(), 2).apply({}, images), [1234.0, 5678.0])
    packed = []
    spy = lambda x, keys: packed.append(x) or x[:, 0, 0, 0]  # noqa: E731

    class Spy(nn.Module):
        def __call__(self, x, keys=None):
            return spy(x, keys)

    Packed(Spy(), 2).apply({}, images)
    np.testing.assert_array_equal(packed[0][0], np.concatenate([images[0], images[1]], axis=-1))


def test_pack_uses_the_key_of_its_first_example():
    keys = jax.random.split(KEY, 32)
    points = jnp.ones((32, 2))
    score = jax.jit(Packed(Rows(), 2).apply)
    scores = score({}, points, keys)
    np.testing.assert_array_equal(scores, score({}, points, jnp.repeat(keys[::2], 2)))
    assert 0 < int(jnp.sum(scores == 0)) < 16


def test_batch_not_divisible_by_the_pack_size_is_refused():
    with pytest.raises(BadInput, match="batch of 3 cannot be packed by 2"):
        Packed(Rows(), 2).apply({}, jnp.ones((3, 2)))
