"""Distances of spectra: by hand, without phases, and with finite slopes in silence."""

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.losses.spectral import FLOOR, spectral_distance

T = np.arange(512, dtype=np.float32)


def sine(frequency, phase=0.0, level=1.0):
    return jnp.float32(level * np.sin(2 * np.pi * frequency * T + phase))[None]


def test_half_the_level_is_half_the_norm_away_and_log_two():
    """Of noise, few magnitudes are as low as the floor."""
    x = jnp.float32(np.random.default_rng(0).normal(size=(2, 512)))
    found = spectral_distance(x, x / 2, (64, 128))
    np.testing.assert_allclose(found, 0.5 + np.log(2), rtol=1e-2)
    assert FLOOR < 1e-2


def test_windows_are_averaged():
    x, y = sine(0.1), sine(0.2)
    each = [spectral_distance(x, y, (window,)) for window in (32, 128)]
    np.testing.assert_allclose(spectral_distance(x, y, (32, 128)), sum(each) / 2, rtol=1e-5)


def test_phases_do_not_matter_but_frequencies_do():
    assert spectral_distance(sine(0.1), sine(0.1, 2.0), (64, 128))[0] < 0.2
    assert spectral_distance(sine(0.1), sine(0.13), (64, 128))[0] > 1
    np.testing.assert_array_equal(spectral_distance(sine(0.1), sine(0.1), (64,)), 0)


def test_slopes_are_finite_in_silence():
    for x in (jnp.zeros((1, 512)), sine(0.1)):
        slope = jax.grad(lambda y, x=x: spectral_distance(x, y, (64, 128)).sum())(jnp.zeros((1, 512)))
        assert jnp.isfinite(slope).all()
