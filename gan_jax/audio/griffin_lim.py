"""Sounds from the magnitudes of their short-time Fourier transform."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex64, Float32, Key

from gan_jax.audio.stft import istft, stft


def griffin_lim(
    magnitudes: Float32[Array, "B frames bins"], hop: int, iterations: int, keys: Key[Array, " B"]
) -> Float32[Array, "B T"]:
    """Estimates sounds of `hop * (frames - 1)` samples with the given magnitudes, from random phases.

    Every iteration takes the phases of the transform of the sound that is closest to the magnitudes with the phases
    before. The distance never grows, but may end in a local minimum.

    Griffin and Lim 1984, "Signal estimation from modified short-time Fourier transform", sec. 3.
    """
    window, levels = 2 * (magnitudes.shape[-1] - 1), magnitudes.astype(jnp.complex64)

    def closer(_: Array, phases: Complex64[Array, "B frames bins"]) -> Complex64[Array, "B frames bins"]:
        transform = stft(istft(levels * phases, hop), window, hop)
        return transform / jnp.maximum(jnp.abs(transform), 1e-12).astype(jnp.complex64)

    angles = jax.vmap(lambda key: jax.random.uniform(key, magnitudes.shape[1:], jnp.float32, -np.pi, np.pi))(keys)
    phases = lax.fori_loop(0, iterations, closer, lax.complex(jnp.cos(angles), jnp.sin(angles)))
    return istft(levels * phases, hop)
