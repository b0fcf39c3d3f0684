"""Photographs of different sizes as tiles of one size, from which random crops are cut on the device."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import UInt8

from gan_jax.data.cache import Decoded
from gan_jax.data.modality import Leaf
from gan_jax.data.source import Examples, Source, in_chunks
from gan_jax.errors import BadInput


def tiled(source: Source, tile: int) -> Decoded:
    """Cuts every image of a source into tiles (see `tile_chunks`), reading one at a time: they may differ in size."""
    report = "; ".join(filter(None, (source.report, f"tiles of {source.size:,} images")))
    decoded = Decoded(source.spec, in_chunks(source, 1), source.classes, report, source.split)
    return tile_chunks(source.name, decoded, tile)


def tile_chunks(name: str, decoded: Decoded, tile: int) -> Decoded:
    """Cuts the images of every chunk, which is one example, into squares of `tile` pixels of `x`.

    The last of a row or column overlap others. An input of lower or higher resolution is cut to match.

    Raises:
        BadInput: `tile` is not a multiple of the factor between the images, or (while the chunks are cut) an image is
            smaller.
    """
    heights = {each: leaf.shape[0] for each, leaf in decoded.spec.items() if leaf.shape}
    factor = heights["x"] // min(heights.values())
    if tile % factor:
        raise BadInput(f"{name} has images that differ by {factor}: give a --tile that is a multiple of it")

    def chunks() -> Iterator[Examples]:
        for examples in decoded.chunks:
            if min(examples["x"].shape[1:3]) < tile:
                size = "x".join(map(str, examples["x"].shape[2:0:-1]))
                raise BadInput(f"{name} has an image of {size}, smaller than --tile {tile}: give a smaller one")
            tiles = cut({each: array[0] for each, array in examples.items() if each in heights}, tile)
            labels = {each: array for each, array in examples.items() if each not in heights}
            yield tiles | {each: np.repeat(array, len(tiles["x"])) for each, array in labels.items()}

    def of_tile(leaf: Leaf) -> Leaf:
        side = tile * leaf.shape[0] // heights["x"] if leaf.shape else 0
        return leaf._replace(shape=(side, side, *leaf.shape[2:])) if leaf.shape else leaf

    return decoded._replace(spec={each: of_tile(leaf) for each, leaf in decoded.spec.items()}, chunks=chunks())


def cut(images: dict[str, UInt8[np.ndarray, "..."]], tile: int) -> dict[str, UInt8[np.ndarray, "..."]]:
    """Cuts the images of one example into tiles `[T, ...]` that show the same places in the same order."""
    smallest = min(images.values(), key=len)
    side = tile * len(smallest) // len(images["x"])
    rows, columns = (_starts(length, side) for length in smallest.shape[:2])

    def tiles(image: np.ndarray) -> np.ndarray:
        times = len(image) // len(smallest)
        size = side * times
        return np.stack(
            [image[r * times :, c * times :][:size, :size] for r in rows for c in columns],
        )

    return {name: tiles(image) for name, image in images.items()}


def _starts(length: int, side: int) -> list[int]:
    return [*range(0, length - side, side), length - side]
