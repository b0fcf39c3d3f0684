import jax
import jax.numpy as jnp
import numpy as np
import pytest
from unchecked import unchecked

from gan_jax.errors import BadInput
from gan_jax.evaluation.probes import path_ends
from gan_jax.metrics.path_length import path_length


def latents(n=1000, size=16):
    return jax.random.normal(jax.random.key(0), (2, n, size))


def sphere(z):
    return z / jnp.linalg.norm(z, axis=1, keepdims=True)


def angles(a, b):
    return np.arccos(np.sum(np.asarray(a, np.float64) * np.asarray(b, np.float64), axis=1))


@pytest.mark.parametrize("epsilon, tolerance", [(1e-2, 1e-4), (1e-4, 0.02)])
def test_ends_are_epsilon_of_the_path_apart(epsilon, tolerance):
    """On the unit sphere they span epsilon times the angle, up to float32 rounding of a small difference."""
    z0, z1 = map(sphere, latents())
    start, end = jax.jit(path_ends, static_argnums=3)(jax.random.key(1), z0, z1, epsilon)
    arcs = np.linalg.norm(np.asarray(end, np.float64) - np.asarray(start, np.float64), axis=1)
    np.testing.assert_allclose(arcs, epsilon * angles(z0, z1), rtol=tolerance)
    if epsilon > 1e-3:
        np.testing.assert_allclose(angles(z0, end) - angles(z0, start), arcs, rtol=1e-2)  # towards z1


@pytest.mark.medium
def test_starts_are_uniform_and_independent_along_the_paths():
    z0, z1 = map(sphere, latents())
    start, _ = path_ends(jax.random.key(1), z0, z1, 1e-2)
    t = np.sort(angles(z0, start) / angles(z0, z1))
    np.testing.assert_allclose(t, (np.arange(1000) + 0.5) / 1000, atol=0.05)


def test_path_length_of_a_linear_generator_is_the_closed_form():
    """G(z) = A z with A' A = 4 gives 4 angle^2, averaged over the middle 98 %."""
    z0, z1 = map(sphere, latents())
    start, end = path_ends(jax.random.key(1), z0, z1, 1e-2)
    squares = np.sort(4 * angles(z0, z1) ** 2)
    length = path_length(2 * start, 2 * end, 1e-2)
    assert length.value == pytest.approx(squares[9:991].mean(), rel=1e-3)


@pytest.mark.parametrize("n", [2, 50, 101, 1000, 1234])
def test_outliers_are_dropped_as_in_stylegan(n):
    """Keeps from the sample at or below the 1st percentile to the one at or above the 99th."""
    rng = np.random.default_rng(n)
    start, end = np.zeros((n, 3)), rng.lognormal(size=(n, 3))
    squares = np.sort(np.sum(end**2, axis=1))
    low, high = int(np.floor(0.01 * (n - 1))), int(np.ceil(0.99 * (n - 1)))
    kept = squares[low : high + 1] / 0.25
    length = path_length(start, end, 0.5)
    assert length.value == pytest.approx(kept.mean())
    assert length.error == pytest.approx(np.std(kept, ddof=1) / np.sqrt(len(kept)))
    assert n >= 101 or high - low == n - 1  # of at most 100 samples none is dropped


def test_single_jump_is_dropped():
    start, end = np.zeros((1000, 1)), np.ones((1000, 1))
    end[3] = 1e6
    assert path_length(start, end, 1.0).value == pytest.approx(1)
    assert path_length(start, start, 1.0) == (0, 0)


def test_rounding_to_8_bits_breaks_small_steps():
    """With 8-bit images a step of 1e-4 measures only rounding, so the function needs floating point images."""
    pixels = np.random.default_rng(0).uniform(0, 255, (200, 300))
    values = {
        (rounded, step): path_length(keep(pixels), keep(pixels + 100 * step), step).value
        for rounded, keep in ((False, np.asarray), (True, np.round))
        for step in (1e-4, 1.0)
    }
    assert values[False, 1e-4] == pytest.approx(values[False, 1.0], rel=1e-6)
    assert values[True, 1.0] == pytest.approx(values[False, 1.0], rel=1e-3)
    assert values[True, 1e-4] > 50 * values[False, 1e-4]


def test_invalid_input_is_refused():
    x = np.zeros((10, 2))
    with pytest.raises(BadInput, match="epsilon must be above 0"):
        path_length(x, x, 0.0)
    with pytest.raises(BadInput, match="start: 1 samples are too few"):
        path_length(x[:1], x[:1], 1e-4)
    with pytest.raises(BadInput, match=r"start \[10, 2\] and end \[9, 2\] differ in shape"):
        unchecked("metrics.path_length").path_length(x, x[1:], 1e-4)
