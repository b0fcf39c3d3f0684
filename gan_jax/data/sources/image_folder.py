"""Images in a folder or archive. Subfolders are classes, or inputs and targets; files at the top have no labels."""

from collections import Counter
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8

from gan_jax.data.cache import Decoded, cached
from gan_jax.data.modality import spec_of
from gan_jax.data.source import Examples, Source, in_chunks, stored
from gan_jax.data.sources import decoding
from gan_jax.data.sources.archives import (
    ARCHIVES,
    Listing,
    identifier,
    in_archive,
    in_folder,
    state_of_archive,
    state_of_folder,
    within,
)
from gan_jax.data.sources.image_pairs import halves, pair_source
from gan_jax.data.sources.layout import find_images, find_layout, list_counts
from gan_jax.data.sources.pair_layout import HALVES, words_of
from gan_jax.data.sources.survey import require, require_one_size, require_tile, survey
from gan_jax.data.sources.tiles import tiled
from gan_jax.errors import BadInput


def folder_source(
    path: str | Path, size: int | None = None, split: str = "train", pair: str = "", tile: int | None = None
) -> Source:
    """Opens a folder of images, decoded as they are read (see `decoding`): in color if any image is in color.

    Args:
        path: of the folder. Class folders are numbered in sorted order.
        size: if given, images are cropped to their central square and resized to `size` pixels a side; otherwise all
            must have one size.
        split: which of the folders `train`, `test` and `val` is read, if there are any (see `layout`).
        pair: `INPUT,TARGET`, the folders of pairs (see `pair_layout`), `left,right`, or `auto`.
        tile: if given, images of any size are cut into squares of `tile` pixels a side, which are cached.

    Raises:
        BadInput: no images, no such split, images of several sizes, images both in folders and beside them, folders
            that may be splits or classes, or a file that is not an image or has no 8-bit meaning.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise BadInput(f"{path} is not a folder: give one with images in it")
    listing = in_folder(folder)
    if tile is None:
        return _source(listing, folder, size, split, pair, tile)
    key = state_of_folder(folder, listing.files)
    key |= {"split": split, "pair": pair, "tile": tile, "decoder": decoding.VERSION}
    return cached(identifier(folder), key, lambda _: _decoded(_source(listing, folder, size, split, pair, tile), tile))


def archive_source(
    path: str | Path,
    size: int | None = None,
    split: str = "train",
    pair: str = "",
    tile: int | None = None,
    inside: str = "",
) -> Source:
    """Opens a .tar, .tar.gz, .tgz or .zip file of images, laid out as in `folder_source`; decodes it into the cache.

    With `inside`, only that folder of the archive is read.

    Raises:
        BadInput: as `folder_source`, or the archive is damaged.
    """
    archive = Path(path).expanduser()
    if not archive.is_file() or not archive.name.lower().endswith(ARCHIVES):
        raise BadInput(f"{path} is not an archive: give a file that ends in {', '.join(ARCHIVES)}")
    key = state_of_archive(archive)
    key |= {"size": size, "split": split, "decoder": decoding.VERSION}
    asked = {"pair": pair, "tile": tile, "inside": inside}
    key |= {name: value for name, value in asked.items() if value}

    def decode(scratch: Path) -> Decoded:
        listing, where = in_archive(archive, scratch), archive
        if inside:
            listing, where = within(listing, inside, archive), archive / inside
        return _decoded(_source(listing, where, size, split, pair, tile), tile)

    name = "_".join(identifier(each) for each in ((archive, Path(inside)) if inside else (archive,)))
    return cached(name, key, decode)


def _decoded(source: Source, tile: int | None) -> Decoded:
    if tile:
        return tiled(source, tile)
    return Decoded(source.spec, in_chunks(source), source.classes, source.report, source.split)


def _source(listing: Listing, where: Path, size: int | None, split: str, pair: str, tile: int | None) -> Source:
    """Opens the images of a listing. With `tile` they may differ in size, and can be read one at a time only."""
    if size is not None and size < 1:
        raise BadInput(f"images cannot be resized to {size} pixels: give a size of at least 1")
    if size and tile:
        raise BadInput(f"{where} cannot be resized to {size} and cut into tiles of {tile}: leave one of them out")
    left_out = listing.left_out.copy()
    paths = find_images(listing.files, decoding.endings(), left_out)
    if not paths:
        what = "give a folder or an archive of files that end in .png, .jpg or another ending that Pillow reads"
        raise BadInput(f"{where} has no images{list_counts(' (left out', left_out, ')')}: {what}")
    if not pair:
        source = _images(listing, where, paths, left_out, size, split, tile, 1)
    elif pair != "auto" and set(words_of(pair)) == HALVES:
        source = halves(_images(listing, where, paths, left_out, size, split, tile, 2), words_of(pair))
    else:
        words = None if pair == "auto" else words_of(pair)
        source = pair_source(listing, where, paths, left_out, size, split, words, tile)
    report = "; ".join(filter(None, (source.report, list_counts("left out", left_out))))
    return source._replace(name=identifier(where), report=report)


def _images(
    listing: Listing,
    where: Path,
    paths: dict[str, list[str]],
    left_out: Counter[str],
    size: int | None,
    split: str,
    tile: int | None,
    aspect: int,
) -> Source:
    """Opens images that are `aspect` times as wide as high where `aspect` is not 1, and with `size` become so."""
    files = listing.files
    images, classes, found, about, other_splits = find_layout(paths, where, split, left_out)
    headers = survey([name for name, _ in images], other_splits, files, where)
    if tile:
        require_tile(headers.sizes, tile, where)
    elif size is None:
        require_one_size(headers.sizes, where)
    if aspect > 1:
        cure = "leave --pair out, or name two folders"
        wanted = f"are not {aspect} times as wide as high"
        require(headers.sizes, lambda size: size[0] == aspect * size[1], where, wanted, cure)
    width, height = (aspect * size, size) if size else headers.first
    numbers = {name: number for number, name in enumerate(classes)}
    labels = np.array([numbers[name] for _, name in images] if classes else [], np.int32)

    def decode(name: str) -> UInt8[np.ndarray, "H W C"]:
        pixels = decoding.decode(files[name], where / name, headers.mode, (width, height) if size else None)
        if not tile and pixels.shape[:2] != (height, width):  # PNG may tell its rotation after the pixels
            found = f"{where / name} is {pixels.shape[1]}x{pixels.shape[0]} when decoded, the others {width}x{height}"
            raise BadInput(f"{found}: resize all to one size with --image-size")
        return pixels.reshape(*pixels.shape[:2], len(headers.mode))

    def read(indices: Int[np.ndarray, " B"]) -> Examples:
        x = np.stack([decode(images[i][0]) for i in indices])
        return {"x": x} | ({"y": labels[indices]} if classes else {})

    spec = spec_of((height, width, len(headers.mode)), bool(classes))
    report = "; ".join(filter(None, (about, *headers.unusual)))
    return stored("", len(images), spec, read, classes)._replace(report=report, split=found)
