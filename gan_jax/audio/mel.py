"""Spectrograms on the mel scale, on which equal distances sound equally far apart."""

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Float32

from gan_jax.audio.stft import Sound, stft

FLOOR = 1e-5
"""Lowest magnitude of which the logarithm is taken."""

Numbers = float | Float[np.ndarray, "*n"]


def to_mel(frequency: Numbers) -> Numbers:
    """Converts hertz to mel: 2595 log10(1 + f / 700), the formula of HTK (O'Shaughnessy 1987); 1,000 Hz are 1,000 mel.

    Not Slaney's, librosa's default, which is linear below 1,000 Hz.
    """
    return 2595 * np.log10(1 + np.asarray(frequency) / 700)


def from_mel(mel: Numbers) -> Numbers:
    """Converts mel to hertz, the inverse of `to_mel`."""
    return 700 * (10 ** (np.asarray(mel) / 2595) - 1)


def mel_filters(
    rate: int, fft_size: int, count: int, low: float = 0.0, high: float | None = None
) -> Float32[np.ndarray, "bins count"]:
    """Makes `count` triangular filters whose centers are equally spaced on the mel scale.

    A filter rises from 0 at the center of the one below to 1 at its own, and falls to 0 at the center of the next, both
    linearly in hertz, as in torchaudio, and in librosa with `htk=True, norm=None`. Narrow filters between two
    frequencies of the transform are 0.

    Args:
        rate: samples a second.
        fft_size: length of the transform, which has `bins = fft_size // 2 + 1` frequencies.
        count: number of filters.
        low: frequency in hertz at which the first filter begins.
        high: frequency in hertz at which the last one ends; by default half of `rate`.
    """
    frequencies = np.linspace(0, rate / 2, fft_size // 2 + 1)[:, None]
    edges = from_mel(np.linspace(to_mel(low), to_mel(rate / 2 if high is None else high), count + 2))
    below, center, above = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (frequencies - below) / (center - below), (above - frequencies) / (above - center)
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def log_mel(x: Sound, rate: int, window: int, hop: int, count: int) -> Float32[Array, "*batch frames count"]:
    """Computes the natural logarithms of the magnitudes in `count` mel bands, at least log 1e-5.

    The spectrogram of Kong et al. 2020, "HiFi-GAN", https://arxiv.org/abs/2010.05646, on the mel scale of HTK.
    """
    filters = mel_filters(rate, window, count)
    bands = jnp.matmul(jnp.abs(stft(x, window, hop)), filters, precision=lax.Precision.HIGHEST)
    return jnp.log(jnp.maximum(bands, FLOOR))
