"""Self-attention against loops over positions, and the properties that its equation has."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn import drawn

from gan_jax.nets.layers.attention import SelfAttention
from gan_jax.nets.layers.resampling import max_pool

close = partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5)
KEY = jax.random.key(0)
X = np.random.RandomState(0).normal(size=(2, 4, 6, 16)).astype(np.float32)


@pytest.fixture(scope="module")
def layer():
    """Returns the layer with random matrices and gamma, as a function of maps, and its parameters."""
    variables = drawn(SelfAttention(), jnp.asarray(X))
    variables["params"]["gamma"] = jnp.float32(0.7)
    return jax.jit(lambda x: SelfAttention().apply(variables, x)), variables["params"]


def by_loops(params, x):
    """Attends from every position of one map `[H, W, C]` to every pooled position, in float64."""
    w_q, w_k, w_v, w_o = (np.asarray(params[f"Dense_{i}"]["kernel"], np.float64) for i in range(4))
    blocks = [x[i : i + 2, j : j + 2].reshape(4, -1) for i in range(0, x.shape[0], 2) for j in range(0, x.shape[1], 2)]
    keys, values = ([(block @ w).max(axis=0) for block in blocks] for w in (w_k, w_v))
    y = np.array(x, np.float64)
    for i, j in np.ndindex(x.shape[:2]):
        similarity = np.array([np.exp(x[i, j] @ w_q @ key) for key in keys])
        mean = sum(weight * value for weight, value in zip(similarity / similarity.sum(), values, strict=True))
        y[i, j] += params["gamma"] * (mean @ w_o)
    return y


def test_attention_equals_loops_over_positions(layer):
    run, params = layer
    assert {name: leaf["kernel"].shape for name, leaf in params.items() if name != "gamma"} == {
        "Dense_0": (16, 2),
        "Dense_1": (16, 2),
        "Dense_2": (16, 8),
        "Dense_3": (8, 16),
    }
    expected = [by_loops(params, x) for x in X]
    assert np.abs(expected - X).mean() > 0.1
    close(run(X), expected)


def test_layer_begins_as_the_identity_and_learns_gamma_first():
    """At gamma = 0 the derivative of every matrix is 0, that of gamma is not."""
    variables = jax.jit(SelfAttention().init)(KEY, X)

    def loss(params):
        y = SelfAttention().apply({"params": params}, jnp.asarray(X))
        return jnp.mean(jnp.sin(y)), y

    slopes, y = jax.jit(jax.grad(loss, has_aux=True))(variables["params"])
    np.testing.assert_array_equal(y, X)
    assert slopes.pop("gamma") != 0
    assert not any(np.any(slope) for slope in jax.tree.leaves(slopes))


def test_order_of_the_pooled_blocks_does_not_matter(layer):
    """Moving blocks of 2 x 2 positions moves what is computed there."""
    run, _ = layer
    half_turn = lambda x: np.roll(x, (2, 4), axis=(1, 2))  # noqa: E731
    close(run(half_turn(X)), half_turn(run(X)))


def test_every_position_depends_on_every_other_and_on_no_other_example(layer):
    run, _ = layer
    moved = X.copy()
    moved[0, 0, 0] += 3.0
    changed = np.abs(run(moved) - run(X)).max(axis=-1)
    assert (changed[0] > 1e-4).all() and not changed[1].any()


def test_scores_far_apart_stay_finite(layer):
    run, _ = layer
    assert np.isfinite(run(100 * X)).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_fewer_than_eight_channels_have_a_query_too(channels):
    shapes = jax.eval_shape(SelfAttention().init, KEY, jnp.zeros((1, 2, 2, channels)))["params"]
    assert shapes["Dense_0"]["kernel"].shape == (channels, 1)
    assert shapes["Dense_2"]["kernel"].shape == (channels, -(-channels // 2))


def test_max_pool_takes_the_largest_of_four():
    pooled = max_pool(jnp.asarray(X))
    for b, i, j, c in np.ndindex(2, 2, 3, 16):
        assert pooled[b, i, j, c] == X[b, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, c].max()
