"""Draws and writes sounds."""

import io
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Float32, UInt8

from gan_jax.audio import log_mel
from gan_jax.data.modality import to_int16
from gan_jax.runs.files import write_atomic

BANDS = 48
"""Mel bands of a picture, each a row of pixels; more would be narrower than the frequencies of a frame lie apart."""

RANGE = np.float32(np.log(1e4))
"""From black to white: 80 dB."""


def spectrograms(sounds: Float32[np.ndarray, "N T"], rate: int) -> UInt8[np.ndarray, "N H W 1"]:
    """Draws log-mel spectrograms in gray, with low frequencies at the bottom; a sine at full level is white.

    Frames are about 32 ms long, the next power of two in samples, and overlap by three quarters.
    """
    window = 2 ** round(np.log2(0.032 * rate))
    levels = jax.jit(log_mel, static_argnums=(1, 2, 3, 4))(sounds, rate, window, window // 4, BANDS)
    shown = 1 + (np.asarray(levels) - np.log(np.float32(window / 4))) / RANGE
    return np.rint(255 * np.clip(shown, 0, 1)).astype(np.uint8).swapaxes(1, 2)[:, ::-1, :, None]


def save_wav(path: Path, sound: Float32[np.ndarray, " T"], rate: int) -> None:
    """Writes a sound in [-1, 1] as a .wav file of 16 bits."""
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, to_int16(sound), rate, format="WAV")
    write_atomic(path, file.getvalue())


def in_sequence(sounds: Float32[np.ndarray, "N T"], rate: int) -> Float32[np.ndarray, " S"]:
    """Joins sounds, with a quarter of a second of silence after each."""
    return np.pad(sounds, ((0, 0), (0, rate // 4))).ravel()
