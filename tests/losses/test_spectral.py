"""Distances of spectra: by hand, without phases, and with finite slopes in silence."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.losses.spectral import spectral_distance

T = np.arange(256, dtype=np.float32)
distance = jax.jit(partial(spectral_distance, windows=(32, 64)))


def sine(frequency, phase=0.0):
    return np.sin(2 * np.pi * frequency * T + phase).astype(np.float32)


def test_it_ignores_phases_but_not_levels_or_frequencies():
    noise = np.random.default_rng(0).normal(size=256).astype(np.float32)
    x = np.stack([noise, noise, sine(0.1), sine(0.1)])
    y = np.stack([noise, noise / 2, sine(0.1, 2.0), sine(0.13)])
    same, halved, shifted, higher = map(float, distance(x, y))
    assert same < 1e-3
    np.testing.assert_allclose(halved, 0.5 + np.log(2), rtol=1e-2)  # in noise, few magnitudes are as low as the floor
    assert shifted < 0.6 and higher > 2 * shifted  # the mirrored ends of a shifted sine are another sound


def test_windows_are_averaged_and_slopes_are_finite_in_silence():
    x = jnp.stack([sine(0.1), 0 * T])

    @jax.jit
    def found(y):
        each = [spectral_distance(x, y, (window,)) for window in (32, 64)]
        return distance(x, y), sum(each) / 2, jax.grad(lambda y: distance(x, y).sum())(y)

    both, mean, slopes = found(jnp.zeros((2, 256)))
    np.testing.assert_allclose(both, mean, rtol=1e-5)
    assert np.isfinite(slopes).all() and both[0] > 1
