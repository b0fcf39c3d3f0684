"""Sounds from magnitudes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.audio import griffin_lim, stft

HOP, WINDOW = 32, 128


def convergence(magnitudes, x):
    """Returns the spectral convergence of every sound: the relative error of its magnitudes."""
    error = magnitudes - np.abs(stft(x, WINDOW, HOP))
    return np.linalg.norm(error, axis=(1, 2)) / np.linalg.norm(magnitudes, axis=(1, 2))


def test_sines_are_recovered_from_their_magnitudes():
    hertz = np.array([500.0, 1250.0])
    x = jnp.asarray(0.7 * np.sin(2 * np.pi * hertz[:, None] * np.arange(1024) / 8000), jnp.float32)
    magnitudes = jnp.abs(stft(x, WINDOW, HOP))
    run = jax.jit(griffin_lim, static_argnums=(1, 2))
    keys = jax.random.split(jax.random.key(0), 2)
    few, many = (run(magnitudes, HOP, n, keys) for n in (1, 60))
    assert many.shape == x.shape
    peaks = np.abs(np.fft.rfft(many)).argmax(axis=1) * 8000 / 1024
    np.testing.assert_allclose(peaks, hertz, atol=8)
    assert (convergence(magnitudes, many) < 0.25).all()  # a local minimum, in which the phase slips a few times
    assert (convergence(magnitudes, many) < convergence(magnitudes, few)).all()


@pytest.mark.slow
def test_the_key_of_a_sound_alone_decides_its_phases():
    one = np.abs(np.random.default_rng(0).normal(size=(9, 17)))
    magnitudes = jnp.asarray(np.stack([one, one]), jnp.float32)
    keys = jax.random.split(jax.random.key(0), 2)
    both, second = griffin_lim(magnitudes, 8, 2, keys), griffin_lim(magnitudes[1:], 8, 2, keys[1:])
    np.testing.assert_allclose(both[1], second[0], atol=1e-5)
    assert np.abs(both[0] - both[1]).max() > 0.1
