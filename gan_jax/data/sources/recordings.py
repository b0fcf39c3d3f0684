"""Recordings of any lengths: how they are stored side by side, how windows of one length are cut of them, and where in
a window the sound is.

Where it is, two numbers say, of which every pair is possible: `length`, the samples of the whole sound, and `place`,
the part of the silence in the window that is before it, 0 to 1. Of a sound longer than its window, `place` is the part
of what is cut off that is cut off before. So the sound begins at sample `place * (T - length)` of a window of T.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Float32, Int, Int16, Key, Shaped

from gan_jax.data.derived import derive
from gan_jax.data.modality import POINTS, Leaf, to_int16
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


PLACED = {"place": Leaf((), POINTS), "length": Leaf((), POINTS)}
"""The arrays that say where in a window the sound is."""


def windows(source: Source, length: int) -> Source:
    """Cuts a window of `length` samples out of every recording `x`, at a place drawn from the key of the example.

    Zeros at both ends are no part of a recording: they fill up shorter ones. In a window that is longer, a recording
    begins at any sample at which all of it fits; in one that is shorter, the window begins at any such sample. The
    arrays `PLACED` say which.
    """
    recorded = source.spec["x"]
    decode = recorded.modality.decode

    def cut(x: Int16[Array, " M"], key: Key[Array, ""]) -> tuple[Int16[Array, " T"], dict[str, Float32[Array, ""]]]:
        first, count = extent(x)
        room = length - count
        before = jax.random.randint(key, (), jnp.minimum(room, 0), jnp.maximum(room, 0) + 1)
        return lax.dynamic_slice(jnp.pad(x, length), (length + first - before,), (length,)), placed(
            before, count, length
        )

    def decode_window(examples: dict[str, Array], keys: Keys) -> Batch:
        x, where = jax.vmap(cut)(examples["x"], keys)
        return {**examples, "x": decode(x), **where}

    spec = {**source.spec, "x": Leaf((length,), recorded.modality), **PLACED}
    return source._replace(spec=spec, decode=decode_window)


def located(source: Source) -> Source:
    """Adds the arrays `PLACED` to a source of sounds `x` of one length, found by the zeros at both ends of each."""
    (length,) = source.spec["x"].shape

    def find(x: Float32[Array, " T"]) -> dict[str, Float32[Array, ""]]:
        return placed(*extent(x), length)

    return derive(source, {**source.spec, **PLACED}, lambda batch, keys: batch | jax.vmap(find)(batch["x"]))


def extent(x: Shaped[Array, " T"]) -> tuple[Int[Array, ""], Int[Array, ""]]:
    """Returns where a sound begins and the number of its samples, without zeros at both ends; all of a silent one."""
    sounds = x != 0
    first = jnp.argmax(sounds)
    return first, len(x) - jnp.argmax(sounds[::-1]) - first


def placed(before: Int[Array, ""], count: Int[Array, ""], length: int) -> dict[str, Float32[Array, ""]]:
    """Returns the arrays `PLACED` of a sound of `count` samples that begins `before` samples into its window."""
    before, count = before.astype(jnp.float32), count.astype(jnp.float32)
    room = length - count
    return {"place": jnp.where(room == 0, 0, before / jnp.where(room == 0, 1, room)), "length": count}
