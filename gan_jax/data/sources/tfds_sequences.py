"""Sounds and videos of TensorFlow Datasets."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8

from gan_jax.data.cache import Decoded
from gan_jax.data.modality import LABEL, VIDEO, Leaf, audio
from gan_jax.data.source import Examples
from gan_jax.data.sources import decoding
from gan_jax.data.sources.recordings import normalized
from gan_jax.data.sources.windows import count_windows
from gan_jax.errors import BadInput


class Sequences(NamedTuple):
    """The feature of a data set that changes in time, and how its examples are decoded."""

    feature: str
    decode: Callable[["Reading"], Decoded]


class Reading(NamedTuple):
    """A split that is read: its examples, as often as asked for, and what they are decoded to."""

    name: str
    examples: Callable[[], Iterator[Examples]]
    """Reads all examples, one by one: `x` `[1, T]` or `[1, T, H, W, C]` and, if there are classes, `y` `[1]`."""
    classes: tuple[str, ...]
    frames: int
    """Frames of a window of a video."""
    size: int | None
    """The side in pixels to which frames are resized, or None."""


def find_sequences(name: str, info: Any, size: int | None, tfds: Any) -> Sequences | None:
    """Finds the sounds or videos of a data set without images; None if there are none.

    Raises:
        BadInput: the sounds have no stated rate or several channels, or a size of images is asked for; or the videos
            have no stated size.
    """
    features = info.features
    named = dict(features.items()) if isinstance(features, tfds.features.FeaturesDict) else {}
    if any(isinstance(each, tfds.features.Image) for each in named.values()):
        return None
    for key, each in named.items():
        if isinstance(each, tfds.features.Audio):
            if size:
                raise BadInput(f"--image-size is for images, not for {name}: leave it out")
            if not each.sample_rate or len(each.shape) != 1:
                what = f"{each.sample_rate or 'no stated'} Hz of shape {list(each.shape)}"
                raise BadInput(f"{name} has sounds of {what}: choose a data set of mono sounds of one rate")
            return Sequences(key, lambda reading, rate=each.sample_rate: _sounds(reading, rate))
        if isinstance(each, tfds.features.Video):
            if None in each.shape[1:]:
                raise BadInput(f"{name} has videos of no stated size: choose another data set")
            return Sequences(key, _videos)
    return None


def _sounds(reading: Reading, rate: int) -> Decoded:
    """Stores recordings beside each other, with zeros behind the shorter ones, as `recordings.windows` expects them."""
    found = [
        (normalized(each["x"][0].astype(np.float64), f"{reading.name}: recording {i}"), each.get("y"))
        for i, each in enumerate(reading.examples())
    ]
    x = np.zeros((len(found), max((len(each) for each, _ in found), default=0)), np.int16)
    for row, (recording, _) in zip(x, found, strict=True):
        row[: len(recording)] = recording
    arrays = {"x": x} | ({"y": np.array([y[0] for _, y in found], np.int32)} if reading.classes else {})
    return Decoded(_spec(Leaf(x.shape[1:], audio(rate)), reading), [arrays], reading.classes)


def _videos(reading: Reading) -> Decoded:
    first = next(reading.examples(), None)
    if first is None:
        return Decoded({}, [], reading.classes)
    counts, cut = count_windows([each["x"].shape[1] for each in reading.examples()], reading.frames, reading.name)
    shape = (reading.frames, *_fitted(first["x"][0, 0], reading.size).shape)
    return Decoded(_spec(Leaf(shape, VIDEO), reading), _windows(reading, counts), reading.classes, cut)


def _windows(reading: Reading, counts: list[int]) -> Iterator[Examples]:
    for each, count in zip(reading.examples(), counts, strict=True):
        if not count:
            continue
        frames = np.stack([_fitted(frame, reading.size) for frame in each["x"][0, : count * reading.frames]])
        x = frames.reshape(count, reading.frames, *frames.shape[1:])
        yield {"x": x} | ({"y": np.full(count, each["y"][0], np.int32)} if reading.classes else {})


def _fitted(frame: UInt8[np.ndarray, "H W C"], size: int | None) -> UInt8[np.ndarray, "_ _ C"]:
    return decoding.fit(frame, size) if size else frame


def _spec(x: Leaf, reading: Reading) -> dict[str, Leaf]:
    return {"x": x} | ({"y": Leaf((), LABEL)} if reading.classes else {})
