"""Recordings of any lengths: how they are stored side by side, and how windows of one length are cut of them."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int16, Key

from gan_jax.data.modality import Leaf, to_int16
from gan_jax.data.source import Source
from gan_jax.engine.game import Batch, Keys
from gan_jax.errors import BadInput

LENGTH = 4096
"""Default number of samples of a window: half a second at 8,000 Hz."""


def normalized(x: Float[np.ndarray, " n"] | Int16[np.ndarray, " n"], where: str | Path) -> Int16[np.ndarray, " n"]:
    """Scales a recording so that its largest magnitude is 1, because levels of speakers differ many times.

    Raises:
        BadInput: it is silent, or has values that are not finite; `where` is its name.
    """
    if not np.isfinite(x).all():
        raise BadInput(f"{where} has values that are not finite: export it again, or leave it out")
    levels = x.astype(np.float64)  # the magnitude of -32768 is no int16
    peak = np.abs(levels).max(initial=0)
    if not peak:
        raise BadInput(f"{where} is silent: leave it out")
    return to_int16(levels / peak)


def windows(source: Source, length: int) -> Source:
    """Cuts a window of `length` samples out of every recording `x`, at a place drawn from the key of the example.

    Zeros at both ends are no part of a recording: they fill up shorter ones. In a window that is longer, a recording
    begins at any sample at which all of it fits; in one that is shorter, the window begins at any such sample.
    """
    recorded = source.spec["x"]
    decode = recorded.modality.decode

    def cut(x: Int16[Array, " M"], key: Key[Array, ""]) -> Int16[Array, " T"]:
        sounds = x != 0
        first, end = jnp.argmax(sounds), len(x) - jnp.argmax(sounds[::-1])
        room = length - (end - first)
        before = jax.random.randint(key, (), jnp.minimum(room, 0), jnp.maximum(room, 0) + 1)
        return lax.dynamic_slice(jnp.pad(x, length), (length + first - before,), (length,))

    def decode_window(examples: dict[str, Array], keys: Keys) -> Batch:
        return {**examples, "x": decode(jax.vmap(cut)(examples["x"], keys))}

    return source._replace(spec={**source.spec, "x": Leaf((length,), recorded.modality)}, decode=decode_window)
