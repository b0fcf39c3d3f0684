"""Square log-magnitude spectrograms, and sounds from them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.audio.log_spectrogram import from_log_spectrogram, log_spectrogram


@pytest.fixture(scope="module")
def sines():
    """Makes sines of 500 and 1,500 Hz at 8,000 Hz, with silence behind the second."""
    t = np.arange(1024)
    x = np.sin(2 * np.pi * np.array([[500], [1500]]) * t[None] / 8000)
    x[1, 700:] = 0
    return jnp.asarray(x, jnp.float32)


def test_levels_are_logarithms_of_fourier_transforms_by_hand(sines):
    levels = log_spectrogram(sines, 32, 0.1)
    assert levels.shape == (2, 32, 32)
    window = np.sin(np.pi * np.arange(64) / 64) ** 2
    for frame in (1, 15, 31):  # centered at sample 32 x frame, the last one mirrored at the end
        padded = np.pad(np.asarray(sines, np.float64), ((0, 0), (0, 32)), mode="reflect")
        expected = np.abs(np.fft.rfft(padded[:, 32 * frame - 32 : 32 * frame + 32] * window[None]))[:, :-1]
        np.testing.assert_allclose(levels[:, frame], np.log(np.maximum(expected, 0.1)), rtol=1e-4, atol=1e-4)
    assert (levels[1, 24:] == np.float32(np.log(np.float32(0.1)))).all()


def test_sounds_have_the_pitch_and_the_silence_of_their_levels(sines):
    keys = jax.random.split(jax.random.key(0), 2)
    x = np.asarray(jax.jit(from_log_spectrogram)(log_spectrogram(sines, 32, 1e-3), keys))
    assert x.shape == sines.shape
    np.testing.assert_allclose(np.abs(np.fft.rfft(x)).argmax(axis=1) * 8000 / 1024, [500, 1500], atol=16)
    assert np.abs(x[1, 800:]).max() < 0.01 < 0.5 < np.abs(x[1, 100:600]).max()
