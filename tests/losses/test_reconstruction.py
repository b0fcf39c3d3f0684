"""Distances to a target: by hand, per example, finite gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.losses import reconstruction

X = jnp.array([[[0.0, 1.0], [2.0, -1.0]], [[0.5, 0.5], [0.5, 0.5]]])
X_FAKE = jnp.array([[[1.0, 1.0], [0.0, 0.0]], [[0.5, 0.5], [0.5, 0.5]]])


@pytest.mark.parametrize("name, expected", [("l1", [1.0, 0]), ("squared_error", [1.5, 0])])
def test_distances_are_means_per_example(name, expected):
    distance = getattr(reconstruction, name)
    np.testing.assert_allclose(distance(X, X_FAKE), expected)
    np.testing.assert_allclose(distance(X_FAKE, X), expected)
    tiled = [jnp.tile(x, (1, 3, 2)) for x in (X, X_FAKE)]
    np.testing.assert_allclose(distance(*tiled), expected)


def test_minimizers_are_the_median_and_the_mean_of_the_targets():
    targets, outputs = jnp.array([0.0, 1.0, 5.0]), jnp.arange(-1, 6, 0.5)
    pairs = [x.reshape(-1, 1) for x in jnp.meshgrid(targets, outputs)]

    def best(distance):
        return outputs[jnp.argmin(distance(*pairs).reshape(-1, 3).mean(axis=1))]

    assert best(reconstruction.l1) == 1 and best(reconstruction.squared_error) == 2


@pytest.mark.parametrize("distance", [reconstruction.l1, reconstruction.squared_error])
def test_half_precision_is_averaged_in_float32_and_gradients_are_finite_at_the_target(distance):
    x = X.astype(jnp.bfloat16)
    assert distance(x, x).dtype == jnp.float32
    assert jnp.isfinite(jax.grad(lambda y: distance(X, y).sum())(X)).all()
