"""Features of a spoken word at a low rate: what is said, by whom, and how far into the word."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Float32, Int

Label = tuple[Int[Array, " B"], int]
"""A label of every word, and the number of its classes."""


def word_features(
    labels: Sequence[Label], place: Float[Array, " B"], length: Float[Array, " B"], samples: int, hop: int
) -> Float32[Array, "B frames F"]:
    """Computes features of words, one frame every `hop` of `samples`: one-hot labels, progress, and inside or not.

    A word begins at sample `place * (samples - length)`, before 0 if it is longer. The progress at the middle of a
    frame rises evenly from 0 at the beginning of the word to 1 at its end, and stays there. A frame is inside, 1, if
    its middle is in the word, else 0.
    """
    middle = hop * (jnp.arange(samples // hop, dtype=jnp.float32) + 0.5)
    start = place * (samples - length)
    progress = (middle[None] - start[:, None]) / length[:, None]
    inside = (progress >= 0) & (progress < 1)
    one_hot = [jax.nn.one_hot(label, classes, dtype=jnp.float32) for label, classes in labels]
    said = jnp.concatenate(one_hot, axis=-1)[:, None]
    everywhere = jnp.broadcast_to(said, (*progress.shape, said.shape[-1]))
    in_word = jnp.stack([jnp.clip(progress, 0, 1), inside.astype(jnp.float32)], axis=-1)
    return jnp.concatenate([everywhere, in_word], axis=-1)
