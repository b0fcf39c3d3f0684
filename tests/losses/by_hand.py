"""Compares a loss with values computed by hand."""

import jax
import jax.numpy as jnp
import numpy as np


def assert_by_hand(loss, scores, d, g):
    """Compares both sides of `loss` at `scores`: plain, jitted, and vmapped over the batch and its reverse."""
    s_real, s_fake = (jnp.array(s) for s in scores)
    expected = np.array([d, g])

    def sides(s_real, s_fake):
        return jnp.stack([loss.d(s_real, s_fake), loss.g(s_real, s_fake)])

    np.testing.assert_allclose(sides(s_real, s_fake), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(jax.jit(sides)(s_real, s_fake), expected, rtol=1e-5, atol=1e-6)
    lanes = jax.jit(jax.vmap(sides))(jnp.stack([s_real, s_real[::-1]]), jnp.stack([s_fake, s_fake[::-1]]))
    np.testing.assert_allclose(lanes, np.stack([expected, expected[:, ::-1]]), rtol=1e-5, atol=1e-6)
