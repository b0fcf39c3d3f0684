"""Mode scores and energy distance on samples with known values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from gan_jax.data.sources import toy
from gan_jax.metrics.mixture_modes import (
    energy_distance,
    high_quality,
    mode_scores,
    modes_captured,
    nearest_mode,
    reverse_kl_modes,
)

RING = toy.ring_modes()
CENTERS = jnp.asarray(RING.centers, jnp.float32)


def scores(samples, modes=RING):
    centers = jnp.asarray(modes.centers, jnp.float32)
    values = jax.jit(mode_scores)(jnp.asarray(samples, jnp.float32), centers, modes.std)
    return {name: float(value) for name, value in values.items()}


@pytest.mark.parametrize("name", toy.MODES)
def test_real_points_capture_all_modes(name):
    modes, source = toy.MODES[name](), toy.TOY_DATA[name]()
    real = scores(source.read(np.arange(source.size))["x"], modes)
    assert real["modes"] == len(modes.centers)
    assert real["high_quality"] == pytest.approx(1 - np.exp(-4.5), abs=1e-3)
    assert real["reverse_kl_modes"] == pytest.approx(0, abs=1e-6)


def test_collapse_to_one_mode_is_scored():
    noise = RING.std * np.random.default_rng(0).normal(size=(500, 2))
    collapsed = scores(RING.centers[3] + noise)
    assert collapsed["modes"] == 1 and collapsed["high_quality"] > 0.97
    assert collapsed["reverse_kl_modes"] == pytest.approx(np.log(8), rel=1e-5)


def test_half_of_the_modes_are_captured():
    half = scores(np.repeat(RING.centers[::2], 10, axis=0))
    assert half == pytest.approx({"modes": 4, "high_quality": 1, "reverse_kl_modes": np.log(2)}, rel=1e-5)


def test_noise_has_low_scores():
    noise = scores(np.random.default_rng(0).uniform(-3, 3, (2500, 2)))
    assert noise["high_quality"] < 0.01  # eight discs of radius 0.03 in a square of area 36
    assert scores(np.full((10, 2), 100.0)) == pytest.approx(
        {"modes": 0, "high_quality": 0, "reverse_kl_modes": np.log(8)}, rel=1e-5
    )


def test_nonfinite_samples_capture_no_mode():
    assert scores(np.full((10, 2), np.nan))["modes"] == scores(np.full((10, 2), np.inf))["high_quality"] == 0


def test_mode_scores_equal_hand_computation():
    """Two of four samples are within 3 std of the first mode; three are nearest to it, one to the second."""
    centers = jnp.array([[0.0], [10.0]])
    samples = jnp.array([[0.0], [2.99], [3.01], [6.0]])
    index, distance = nearest_mode(samples, centers)
    assert index.tolist() == [0, 0, 0, 1]
    np.testing.assert_allclose(distance, [0, 2.99, 3.01, 4], rtol=1e-6)
    assert modes_captured(samples, centers, 1.0) == 1
    assert high_quality(samples, centers, 1.0) == 0.5
    expected = 0.75 * np.log(1.5) + 0.25 * np.log(0.5)
    np.testing.assert_allclose(reverse_kl_modes(samples, centers), expected, rtol=1e-6)


@pytest.mark.medium
def test_vmapped_mode_scores_equal_single_ones():
    samples = 2 * jax.random.normal(jax.random.key(0), (3, 50, 2))
    lanes = jax.jit(jax.vmap(mode_scores, (0, None, None)))(samples, CENTERS, 0.5)
    for i in range(3):
        alone = mode_scores(samples[i], CENTERS, 0.5)
        for name, value in alone.items():
            assert value.shape == () and value.dtype == jnp.float32
            np.testing.assert_allclose(lanes[name][i], value, rtol=1e-5, atol=1e-6)


def test_energy_distance_in_1d_equals_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=30).astype(np.float32), 1 + rng.normal(size=20).astype(np.float32)
    expected = stats.energy_distance(a, b) ** 2
    np.testing.assert_allclose(jax.jit(energy_distance)(a[:, None], b[:, None]), expected, rtol=1e-5)


def test_energy_distance_in_2d_equals_hand_computation():
    a, b = jnp.array([[0.0, 0.0], [3.0, 4.0]]), jnp.array([[0.0, 0.0]])
    assert float(energy_distance(a, b)) == 2 * 2.5 - 2.5 - 0
    assert float(energy_distance(a, a)) == 0


def test_energy_distance_is_small_for_equal_and_larger_for_shifted_distributions():
    source = toy.spiral(2000)
    x = jnp.asarray(source.read(np.random.default_rng(0).permutation(2000))["x"])
    same, moved = (float(energy_distance(x[:1000], y)) for y in (x[1000:], x[1000:] + 0.3))
    assert 0 < same < 0.01 < moved
