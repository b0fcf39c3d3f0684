"""The orthogonality penalty of known matrices, and weight clipping."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gan_jax.penalties import clip_weights, orthogonal

W = jnp.array([[1.0, 2.0], [0.0, 3.0]])  # columns (1, 0) and (2, 3) with inner product 2


def test_orthogonal_of_a_known_matrix_equals_hand_computation():
    np.testing.assert_allclose(orthogonal({"kernel": W}), 2 * 2.0**2)
    np.testing.assert_allclose(jax.jit(orthogonal)({"kernel": 7 * jnp.eye(3)}), 0.0)  # columns of any norm
    np.testing.assert_allclose(jax.vmap(orthogonal)({"kernel": jnp.stack([W, 2 * W])}), [8.0, 8.0 * 16])


def test_orthogonal_sums_kernels_and_ignores_vectors():
    image_kernel = W.reshape(1, 2, 1, 2)  # [H, W, in, out] as the matrix [in, out]
    params = {"conv": {"kernel": image_kernel, "bias": jnp.ones(2)}, "dense": {"kernel": W, "scale": jnp.array(3.0)}}
    np.testing.assert_allclose(orthogonal(params), 16.0)
    assert orthogonal({}) == 0


def test_orthogonal_of_a_wide_matrix_compares_its_columns():
    np.testing.assert_allclose(orthogonal({"kernel": jnp.array([[1.0, 1.0, 1.0]])}), 6.0)


@pytest.mark.parametrize("limit", [0.01, 0.3])
def test_clipped_parameters_are_exactly_within_the_limit(limit):
    """After updates of any size."""
    params = {"a": jax.random.normal(jax.random.key(0), (1000,)), "b": jnp.array([limit, -limit, 0.0])}
    tx = optax.chain(optax.sgd(1.0), clip_weights(limit))
    state = tx.init(params)
    play = jax.jit(lambda p, s, g: tx.update(g, s, p))
    for seed, size in ((1, 100.0), (2, 1.0), (3, 1e-3)):
        grads = jax.tree.map(
            lambda p, seed=seed, size=size: size * jax.random.normal(jax.random.key(seed), p.shape), params
        )
        updates, state = play(params, state, grads)
        params = optax.apply_updates(params, updates)
        assert all(bool((jnp.abs(p) <= limit).all()) for p in params.values())
        assert any(bool((jnp.abs(p) > 0.99 * limit).any()) for p in params.values())


def test_updates_within_the_limit_are_unchanged():
    tx = clip_weights(1.0)
    params, grads = jnp.array([0.5, -0.5, 0.9]), jnp.array([0.25, -0.25, 0.5])
    updates, _ = tx.update(grads, tx.init(params), params)
    np.testing.assert_allclose(updates, [0.25, -0.25, 0.1], rtol=1e-6)
