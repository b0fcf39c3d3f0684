"""Distances between the spectra of sounds."""

from collections.abc import Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float32

from gan_jax.audio import stft

FLOOR = 1e-2
"""Added to magnitudes of which the logarithm is taken; a sine at full level has a magnitude of a quarter window."""

Sounds = Float32[Array, "B T"]


def spectral_distance(x: Sounds, y: Sounds, windows: Sequence[int]) -> Float32[Array, " B"]:
    """Computes the mean distance of the magnitudes of Fourier transforms, over several lengths of their windows.

        ||X| - |Y|| / ||X|  +  mean |log |X| - log |Y||        X, Y the transforms, with a hop of a quarter window

    Phases do not matter, nor do short delays. Yamamoto et al. 2020, "Parallel WaveGAN", eq. 4 to 6
    (https://arxiv.org/abs/1910.11480).
    """

    def magnitudes(x: Sounds, window: int) -> Float32[Array, "B frames bins"]:
        transform = stft(x, window, window // 4)
        power = jnp.square(transform.real) + jnp.square(transform.imag)
        return jnp.sqrt(power + FLOOR**2)  # the slope of the root is finite in silence

    def distance(window: int) -> Float32[Array, " B"]:
        of_x, of_y = magnitudes(x, window), magnitudes(y, window)
        norms = [jnp.sqrt(jnp.sum(jnp.square(each), axis=(1, 2)) + FLOOR**2) for each in (of_x - of_y, of_x)]
        return norms[0] / norms[1] + jnp.mean(jnp.abs(jnp.log(of_x) - jnp.log(of_y)), axis=(1, 2))

    return sum(map(distance, windows)) / len(windows)
