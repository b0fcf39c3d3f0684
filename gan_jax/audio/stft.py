"""The short-time Fourier transform and its inverse."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex64, Float32, Int

Sound = Float32[Array, "*batch T"]
Spectrum = Complex64[Array, "*batch frames bins"]


def hann(window: int) -> Float32[np.ndarray, " window"]:
    """Returns the periodic Hann window, sin^2(pi t / window)."""
    return (np.sin(np.pi * np.arange(window) / window) ** 2).astype(np.float32)


def stft(x: Sound, window: int, hop: int) -> Spectrum:
    """Computes the Fourier transforms of frames of `window` samples, one every `hop`, under a Hann window.

    Frame `i` is centered at sample `i * hop`: the sound is mirrored at both ends, without its first and last sample, as
    in librosa and PyTorch by default. There are `1 + T // hop` frames of `1 + window // 2` frequencies, 0 to rate / 2.

    Args:
        x: sounds.
        window: an even number of samples.
        hop: a number of samples.
    """

    def one(x: Float32[Array, " T"]) -> Complex64[Array, "frames bins"]:
        padded = jnp.pad(x, window // 2, mode="reflect")
        frames = padded[_places(1 + len(x) // hop, window, hop)]
        return jnp.fft.rfft(frames * hann(window)[None])

    return jnp.vectorize(one, signature="(t)->(f,k)")(x)


def istft(spectrum: Spectrum, hop: int) -> Sound:
    """Returns the sounds whose frames are closest to `spectrum`, of `hop * (frames - 1)` samples.

    Frames are weighted by the Hann window, added where they overlap, and divided by the sum of the squared windows: the
    least squares solution, and the inverse of `stft` but for the last `T % hop` samples. A window is at least twice as
    long as a hop, or some samples are in no frame.

    Griffin and Lim 1984, "Signal estimation from modified short-time Fourier transform", eq. 6.
    """
    count, bins = spectrum.shape[-2:]
    window, length = 2 * (bins - 1), hop * (count - 1)
    places, kept = _places(count, window, hop), slice(window // 2, window // 2 + length)
    weights = np.zeros(length + window)
    np.add.at(weights, places, np.broadcast_to(hann(window).astype(np.float64) ** 2, places.shape))

    def one(spectrum: Complex64[Array, "frames bins"]) -> Float32[Array, " T"]:
        frames = jnp.fft.irfft(spectrum, window) * hann(window)[None]
        added = jnp.zeros(length + window, jnp.float32).at[places].add(frames)
        return added[kept] / weights[kept].astype(np.float32)

    return jnp.vectorize(one, signature="(f,k)->(t)")(spectrum)


def _places(count: int, window: int, hop: int) -> Int[np.ndarray, "count window"]:
    """Returns the samples of every frame of a padded sound."""
    return hop * np.arange(count)[:, None] + np.arange(window)
