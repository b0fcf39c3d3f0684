"""Images in a folder or archive. Subfolders are classes; files at the top level have no labels."""

import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8

from gan_jax.data.cache import Decoded, cached
from gan_jax.data.modality import Shape, spec_of
from gan_jax.data.source import Examples, Source, in_chunks, stored
from gan_jax.data.sources import decoding
from gan_jax.data.sources.archives import ARCHIVES, Files, Listing, in_archive, in_folder
from gan_jax.data.sources.layout import find_images, find_layout
from gan_jax.errors import BadInput


def folder_source(path: str | Path, size: int | None = None, split: str = "train") -> Source:
    """Opens a folder of images, decoded as they are read (see `decoding`): in color if any image is in color.

    Args:
        path: of the folder. Class folders are numbered in sorted order.
        size: if given, images are cropped to their central square and resized to `size` pixels a side; otherwise all
            must have one size.
        split: which of the folders `train`, `test` and `val` is read, if there are any (see `layout`).

    Raises:
        BadInput: no images, no such split, images of several sizes, images both in folders and beside them, folders
            that may be splits or classes, or a file that is not an image or has no 8-bit meaning.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise BadInput(f"{path} is not a folder: give one with images in it")
    return _source(in_folder(folder), folder, size, split)


def archive_source(path: str | Path, size: int | None = None, split: str = "train") -> Source:
    """Opens a .tar, .tar.gz, .tgz or .zip file of images, laid out as in `folder_source`; decodes it into the cache.

    Raises:
        BadInput: as `folder_source`, or the archive is damaged.
    """
    archive = Path(path).expanduser()
    if not archive.is_file() or not archive.name.lower().endswith(ARCHIVES):
        raise BadInput(f"{path} is not an archive: give a file that ends in {', '.join(ARCHIVES)}")
    about = archive.stat()
    key = {"path": str(archive.resolve()), "modified": about.st_mtime_ns, "bytes": about.st_size}
    key |= {"size": size, "split": split, "decoder": decoding.VERSION}

    def decode(scratch: Path) -> Decoded:
        source = _source(in_archive(archive, scratch), archive, size, split)
        return Decoded(source.spec, in_chunks(source), source.classes, source.report, source.split)

    return cached(_identifier(archive), key, decode)


def _source(listing: Listing, where: Path, size: int | None, split: str) -> Source:
    if size is not None and size < 1:
        raise BadInput(f"images cannot be resized to {size} pixels: give a size of at least 1")
    files, left_out = listing.files, listing.left_out.copy()
    paths = find_images(files, decoding.endings(), left_out)
    if not paths:
        what = "give a folder or an archive of files that end in .png, .jpg or another ending that Pillow reads"
        raise BadInput(f"{where} has no images{_list(' (left out', left_out, ')')}: {what}")
    images, classes, found, about, other_splits = find_layout(paths, where, split, left_out)
    mode, shape, unusual = _mode_and_shape([name for name, _ in images], other_splits, files, where, size)
    numbers = {name: number for number, name in enumerate(classes)}
    labels = np.array([numbers[name] for _, name in images] if classes else [], np.int32)
    resize = shape[1::-1] if size else None

    def decode(name: str) -> UInt8[np.ndarray, "H W C"]:
        pixels = decoding.decode(files[name], where / name, mode, resize)
        if pixels.shape[:2] != shape[:2]:  # PNG may tell its rotation after the pixels
            height, width = pixels.shape[:2]
            found = f"{where / name} is {width}x{height} when decoded, the others {shape[1]}x{shape[0]}"
            raise BadInput(f"{found}: resize all to one size with --image-size")
        return pixels.reshape(shape)

    def read(indices: Int[np.ndarray, " B"]) -> Examples:
        x = np.stack([decode(images[i][0]) for i in indices])
        return {"x": x} | ({"y": labels[indices]} if classes else {})

    report = "; ".join(filter(None, (about, *unusual, _list("left out", left_out))))
    source = stored(_identifier(where), len(images), spec_of(shape, bool(classes)), read, classes)
    return source._replace(report=report, split=found)


def _mode_and_shape(
    names: Sequence[str], other_splits: Sequence[str], files: Files, where: Path, size: int | None
) -> tuple[str, Shape, list[str]]:
    """Finds the Pillow mode and the shape of the images, and what is unusual about them, from their headers.

    Images are in color if any image of any split is, so that all splits have one shape.
    """

    def read(name: str) -> decoding.Header:
        return decoding.read_header(files[name], where / name)

    with ThreadPoolExecutor(max_workers=4) as pool:
        headers = list(pool.map(read, names))
    width, height = headers[0].size
    for name, header in zip(names, headers, strict=True):
        if size is None and header.size != (width, height):
            sizes = f"{where / name} is {header.size[0]}x{header.size[1]}, {names[0]} {width}x{height}"
            raise BadInput(f"{sizes}: resize all to one size with --image-size")
    color = any(header.color for header in headers) or any(read(name).color for name in other_splits)
    deep, several = (sum(getattr(header, name) for header in headers) for name in ("deep", "several"))
    unusual = [f"{deep:,} with 16 bits, read as v >> 8"] * (deep > 0)
    unusual += [f"{several:,} with several pages or frames, of which the first is read"] * (several > 0)
    mode = "RGB" if color else "L"
    return mode, (size or height, size or width, len(mode)), unusual


def _list(title: str, counts: Counter[str], end: str = "") -> str:
    """Lists what was left out, as in `left out 3: 2 hidden, 1 not images (.txt)`; nothing if there is nothing."""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in counts.items())
    return f"{title} {counts.total():,}: {reasons}{end}" if reasons else ""


def _identifier(path: Path) -> str:
    """Derives the name of a data set from its path: `cifar10-jpg.tar.gz` -> `cifar10_jpg`."""
    name = re.sub(r"\.(tar|tar\.gz|tgz|zip)$", "", path.resolve().name, flags=re.IGNORECASE)
    return re.sub(r"\W+", "_", name).strip("_") or "images"
