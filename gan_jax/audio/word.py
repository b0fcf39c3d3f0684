"""Features of a spoken word at a low rate: what is said, by whom, and how far into the word."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Int

Label = tuple[Int[Array, " B"], int]
"""A label of every word, and the number of its classes."""


def word_features(
    labels: Sequence[Label], place: Float[Array, " B"], length: Float[Array, " B"], samples: int, hop: int, waves: int
) -> Float32[Array, "B frames F"]:
    """Computes features of words: one-hot labels, progress, inside or not, waves; one frame every `hop` of `samples`.

    A word begins at sample `place * (samples - length)`, before 0 if it is longer. The progress at the middle of a
    frame rises evenly from 0 at the beginning of the word to 1 at its end, and stays there. A frame is inside, 1, if
    its middle is in the word, else 0.

    The waves are sines and cosines of the time since the word began, of `waves` frequencies, evenly spaced up to half
    the rate of frames. A generator of convolutions has no other clock: without, it hums at the rate of frames, since
    all frames of a vowel are alike.
    """
    middle = hop * (jnp.arange(samples // hop, dtype=jnp.float32) + 0.5)
    since = middle[None] - (place * (samples - length))[:, None]
    progress = since / length[:, None]
    inside = (progress >= 0) & (progress < 1)
    frequencies = np.arange(1, waves + 1, dtype=np.float32) / (2 * hop * waves)
    phases = 2 * np.pi * since[..., None] * frequencies[None, None]
    said = jnp.concatenate([jax.nn.one_hot(label, classes, dtype=jnp.float32) for label, classes in labels], axis=-1)
    parts = [
        jnp.broadcast_to(said[:, None], (*progress.shape, said.shape[-1])),
        jnp.stack([jnp.clip(progress, 0, 1), inside.astype(jnp.float32)], axis=-1),
        jnp.sin(phases),
        jnp.cos(phases),
    ]
    return jnp.concatenate(parts, axis=-1)
