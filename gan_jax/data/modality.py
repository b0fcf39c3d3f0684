"""The kinds of arrays that examples consist of: how each is stored, and what it is in a batch.

A kind is declared, never guessed from a dtype: bytes may be pixels, classes or text.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Int16, UInt8

Shape = tuple[int, ...]


def _unchanged(x: Any) -> Any:
    return x


class Modality(NamedTuple):
    """A kind of array."""

    name: str
    plural: str
    """What an array of samples is called in a file."""
    dtype: Any
    """The dtype in a batch."""
    decode: Callable[[Array], Array]
    """Stored arrays, with any leading axes, to those of a batch; pure, on the device."""
    describe: Callable[[Shape], str]
    """Describes examples of a shape, as in `gray images of 28x28`."""
    encode: Callable[[np.ndarray], np.ndarray] = _unchanged
    """Arrays as a generator makes them to those that are written to a file."""
    store: Callable[[np.ndarray], np.ndarray] = _unchanged
    """Arrays as a generator makes them to stored ones, the inverse of `decode`: what is scored."""
    stored_shape: Callable[[Shape], Shape] = _unchanged
    """The shape of an example as it is stored, by its shape in a batch."""
    rate: int = 0
    """The samples of a sound in a second; 0 for other kinds."""
    frame: "Modality | None" = None
    """The kind of what follows along the first axis of an example, in time; None for what does not move."""

    @property
    def words(self) -> str:
        """The kind in words, as in `images` and `audio at 8,000 Hz`."""
        return f"{self.plural} at {self.rate:,} Hz" if self.rate else self.plural


class Leaf(NamedTuple):
    """One array of every example: its shape in a batch, without the axis of examples, and its kind."""

    shape: Shape
    modality: Modality

    def abstract(self, *leading: int) -> jax.ShapeDtypeStruct:
        """Returns shape and dtype in a batch with these leading axes."""
        return jax.ShapeDtypeStruct((*leading, *self.shape), self.modality.dtype)


Spec = Mapping[str, Leaf]
"""The arrays of every example by name."""


def scale(x: UInt8[Array, "*shape"]) -> Float32[Array, "*shape"]:
    """Scales 0 ... 255 to [-1, 1].

    `x / 127.5 - 1` rounds once or twice, depending on whether XLA fuses it, so its bits differ between programs. Here
    the sum is exact and only the product rounds: the bits are the same in every program.
    """
    return (2 * x.astype(jnp.float32) - 255) * np.float32(1 / 255)


def to_uint8(x: Float[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """Rounds [-1, 1] to the nearest of 0 ... 255, the inverse of `scale`; clips values outside, maps NaN to black."""
    return np.nan_to_num(np.clip(np.rint((x.astype(np.float32) + 1) * np.float32(127.5)), 0, 255)).astype(np.uint8)


def _describe_images(shape: Shape) -> str:
    height, width, channels = shape
    return f"{'gray' if channels == 1 else 'color'} images of {width}x{height}"


def _describe_videos(shape: Shape) -> str:
    frames, height, width, channels = shape
    return f"{'gray' if channels == 1 else 'color'} videos of {frames} frames of {width}x{height}"


IMAGE = Modality("image", "images", jnp.float32, scale, _describe_images, to_uint8, to_uint8)
"""Stored as uint8 `[H, W, C]` with 1 or 3 channels; in a batch float32 in [-1, 1]."""

VIDEO = Modality("video", "video", jnp.float32, scale, _describe_videos, to_uint8, to_uint8, frame=IMAGE)
"""Stored as uint8 `[T, H, W, C]` with 1 or 3 channels; in a batch float32 in [-1, 1]."""

POINTS = Modality(
    "points", "points", jnp.float32, _unchanged, lambda shape: f"points of {' x '.join(map(str, shape))} values"
)
"""Floats of any meaning, such as points `[D]` or features, float32."""

TOKENS = Modality("tokens", "tokens", jnp.int32, _unchanged, lambda shape: f"texts of {shape[0]} tokens")
"""Numbered words or letters of a text, such as a caption `[L]`, int32."""

LABEL = Modality("label", "labels", jnp.int32, _unchanged, lambda shape: "labels")
"""A class `[]`, int32."""


@functools.cache
def label_map(classes: int) -> Modality:
    """Makes the kind of an image of classes: stored as uint8 `[H, W]`, in a batch one-hot `[H, W, classes]`."""
    return Modality(
        LABEL_MAP,
        "maps",
        jnp.float32,
        lambda y: jax.nn.one_hot(y, classes, dtype=jnp.float32),
        lambda shape: f"maps of {shape[-1]} classes of {shape[1]}x{shape[0]}",
        stored_shape=lambda shape: shape[:-1],
    )


LABEL_MAP = "label map"


def from_int16(x: Int16[Array, "*shape"]) -> Float32[Array, "*shape"]:
    """Scales -32767 ... 32767 to [-1, 1]; as in `scale`, only the product rounds."""
    return x.astype(jnp.float32) * np.float32(1 / 32767)


def to_int16(x: Float[np.ndarray, "*shape"]) -> Int16[np.ndarray, "*shape"]:
    """Rounds [-1, 1] to -32767 ... 32767, the inverse of `from_int16`; clips values outside, maps NaN to silence."""
    return np.nan_to_num(np.rint(np.clip(x, -1, 1) * 32767)).astype(np.int16)


@functools.cache
def audio(rate: int) -> Modality:
    """Makes the kind of a sound of `rate` samples a second: stored as int16 `[T]`, in a batch float32 in [-1, 1]."""
    return Modality(
        AUDIO,
        "audio",
        jnp.float32,
        from_int16,
        lambda shape: f"sounds of {shape[0]:,} samples at {rate:,} Hz",
        store=to_int16,
        rate=rate,
    )


AUDIO = "audio"

ATTRIBUTES = Modality(
    "attributes", "attributes", jnp.int32, _unchanged, lambda shape: f"{shape[0]} attribute{'s' * (shape[0] > 1)}"
)
"""What is present in an example, 1, or not, 0, such as a smile: `[A]`, int32."""

ACTIONS = Modality("actions", "actions", jnp.int32, _unchanged, lambda shape: f"{shape[0]} actions")
"""What was done before every frame of a video, numbered: `[T]`, int32."""

MASKED = Modality(
    "masked image",
    "images",
    jnp.float32,
    lambda x: jnp.concatenate([scale(x[..., :-1]), x[..., -1:].astype(jnp.float32) * np.float32(1 / 255)], axis=-1),
    lambda shape: f"images with a hole of {shape[1]}x{shape[0]}",
)
"""An image and, as its last channel, its mask: 1 where the image is missing, else 0. Stored as uint8."""

MODALITIES = {each.name: each for each in (IMAGE, VIDEO, POINTS, TOKENS, LABEL, ATTRIBUTES, ACTIONS, MASKED)}
"""Kinds by name, except those that depend on a number: label maps, on that of their classes, and audio, on its rate."""


def main_leaf(spec: Spec) -> Leaf:
    """Returns the array `x`, or the last one that has a shape where there is no `x`, as in unpaired data."""
    return spec["x"] if "x" in spec else [leaf for leaf in spec.values() if leaf.shape][-1]


def describe_spec(spec: Spec) -> dict[str, dict[str, Any]]:
    """Describes a spec as JSON values, of which `spec_from` makes it again."""

    def describe(leaf: Leaf) -> dict[str, Any]:
        rate = {"rate": leaf.modality.rate} if leaf.modality.rate else {}
        return {"kind": leaf.modality.name, "shape": list(leaf.shape), **rate}

    return {name: describe(leaf) for name, leaf in spec.items()}


def spec_from(description: Mapping[str, Mapping[str, Any]]) -> dict[str, Leaf]:
    """Makes the spec that `describe_spec` described. Raises KeyError for an unknown kind."""

    def modality(about: Mapping[str, Any]) -> Modality:
        if about["kind"] == AUDIO:
            return audio(about["rate"])
        return label_map(about["shape"][-1]) if about["kind"] == LABEL_MAP else MODALITIES[about["kind"]]

    return {name: Leaf(tuple(about["shape"]), modality(about)) for name, about in description.items()}


def spec_of(shape: Shape, labeled: bool) -> dict[str, Leaf]:
    """Returns the spec of images `[H, W, C]` or points `[D]` as `x`, and of their labels as `y`."""
    x = Leaf(shape, IMAGE if len(shape) == 3 else POINTS)
    return {"x": x, "y": Leaf((), LABEL)} if labeled else {"x": x}


def by_leaf(spec: Spec) -> Callable[[dict[str, Array]], dict[str, Array]]:
    """Returns the function that decodes every stored array by its kind."""
    return lambda examples: {name: leaf.modality.decode(examples[name]) for name, leaf in spec.items()}
