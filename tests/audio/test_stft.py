"""The short-time Fourier transform against a loop over NumPy's, and its inverse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.audio import istft, log_mel, stft


def noise(*shape):
    return jnp.asarray(np.random.default_rng(0).uniform(-1, 1, shape), jnp.float32)


@pytest.mark.parametrize(("window", "hop"), [(16, 4), (16, 8), (32, 5)])
def test_every_frame_is_the_transform_of_a_centered_window(window, hop):
    x = noise(2, 70)
    found = np.asarray(stft(x, window, hop))
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    mirrored = np.pad(x, ((0, 0), (window // 2, window // 2)), mode="reflect")
    assert found.shape == (2, 1 + 70 // hop, window // 2 + 1) and found.dtype == np.complex64
    for b in range(2):
        for i in range(found.shape[1]):
            frame = mirrored[b, i * hop : i * hop + window]
            np.testing.assert_allclose(found[b, i], np.fft.rfft(hann * frame), atol=1e-5)


@pytest.mark.parametrize(("window", "hop"), [(16, 4), (16, 8), (32, 5)])
def test_inverse_returns_the_sound(window, hop):
    x = noise(2, 3, 70)
    y = istft(stft(x, window, hop), hop)
    assert y.shape == (2, 3, 70 // hop * hop)
    np.testing.assert_allclose(y, x[..., : y.shape[-1]], atol=1e-5)


def test_inverse_is_the_least_squares_solution():
    """No small change of the sound brings its frames closer to a spectrum that no sound has."""
    rng = np.random.default_rng(1)
    spectrum = (rng.normal(size=(9, 9)) + 1j * rng.normal(size=(9, 9))).astype(np.complex64)
    spectrum[:, [0, -1]] = spectrum[:, [0, -1]].real
    x = np.pad(istft(jnp.asarray(spectrum), 4), 8)  # with silence, so that no sample is mirrored

    def frames(x):
        hann = np.sin(np.pi * np.arange(16) / 16) ** 2
        return np.stack([hann * x[4 * i : 4 * i + 16] for i in range(9)])

    target = np.fft.irfft(spectrum)
    inner = slice(16, -16)  # of windows that lie inside the sound
    residual = frames(x) - target
    gradient = np.zeros_like(x)
    for i in range(9):
        gradient[4 * i : 4 * i + 16] += np.sin(np.pi * np.arange(16) / 16) ** 2 * residual[i]
    np.testing.assert_allclose(gradient[inner], 0, atol=1e-5)


def test_gradients_are_finite_in_silence():
    x = jnp.zeros((1, 64), jnp.float32)
    gradient = jax.grad(lambda x: log_mel(x, 8000, 32, 8, 8).sum())(x)
    assert np.isfinite(gradient).all()
