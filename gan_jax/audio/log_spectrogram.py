"""Log-magnitude spectrograms with as many frames and frequencies as a network likes, and sounds from them."""

import jax.numpy as jnp
from jaxtyping import Array, Float32, Key

from gan_jax.audio.griffin_lim import griffin_lim
from gan_jax.audio.stft import Sound, stft

Levels = Float32[Array, "*batch frames bins"]


def log_spectrogram(x: Sound, hop: int, floor: float) -> Levels:
    """Computes the natural logarithms of magnitudes `[T / hop, hop]`, at least log `floor`.

    A frame has `2 hop` samples. The last frame of `stft`, half of which is the mirrored end, and its highest frequency
    are left out, so that both numbers divide well.

    Donahue et al. 2019, "Adversarial audio synthesis", sec. 2.2 (https://arxiv.org/abs/1802.04208): 128 x 128 of 16,384
    samples.
    """
    return jnp.log(jnp.maximum(jnp.abs(stft(x, 2 * hop, hop)[..., :-1, :-1]), floor))


def from_log_spectrogram(levels: Levels, keys: Key[Array, " B"], iterations: int = 16) -> Sound:
    """Estimates sounds of `frames * bins` samples with such levels, by Griffin-Lim from random phases.

    The highest frequency is silent, and the last frame is repeated.
    """
    padded = jnp.pad(jnp.exp(levels), ((0, 0), (0, 1), (0, 0)), mode="edge")
    return griffin_lim(jnp.pad(padded, ((0, 0), (0, 0), (0, 1))), levels.shape[-1], iterations, keys)
