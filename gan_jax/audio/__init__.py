"""Spectrograms: pure functions of sounds `[..., T]`, for networks, losses, metrics and pictures.

Imports nothing of `gan_jax`.
"""

from gan_jax.audio.griffin_lim import griffin_lim
from gan_jax.audio.mel import from_mel, log_mel, mel_filters, to_mel
from gan_jax.audio.stft import istft, stft

__all__ = ["from_mel", "griffin_lim", "istft", "log_mel", "mel_filters", "stft", "to_mel"]
