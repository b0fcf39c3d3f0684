"""Images in a folder or archive. Subfolders are classes; files at the top level have no labels."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Int, UInt8

from gan_jax.data.cache import Decoded, cached
from gan_jax.data.source import Examples, Shape, Source, in_chunks
from gan_jax.data.sources.archives import ARCHIVES, Files, in_archive, in_folder
from gan_jax.errors import BadInput

IMAGES = (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
SPLITS = {"train", "test", "val", "valid", "validation"}


def folder_source(path: str | Path, size: int | None = None, split: str = "train") -> Source:
    """Opens a folder of images, decoded as they are read. The first image decides between gray and color.

    Args:
        path: of the folder. Class folders are numbered in sorted order.
        size: if given, images are cropped to their central square and resized to `size` pixels a side; otherwise all
            must have one size.
        split: the split's folder, if there is one for each split.

    Raises:
        BadInput: no images, no such split, images of several sizes, images both in folders and beside them, or a file
            that is not an image.
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

    def decode(scratch: Path) -> Decoded:
        source = _source(in_archive(archive, scratch), archive, size, split)
        return Decoded(source.size, source.shape, in_chunks(source), source.classes)

    return cached(_identifier(archive), key | {"size": size, "split": split}, decode)


def _source(files: Files, where: Path, size: int | None, split: str) -> Source:
    if size is not None and size < 1:
        raise BadInput(f"images cannot be resized to {size} pixels: give a size of at least 1")
    names, classes = _layout(files, where, split)
    mode, shape = _mode_and_shape(names, files, where, size)
    labels = np.array([classes.index(c) for _, c in names] if classes else [], np.int32)

    def decode(name: str) -> UInt8[np.ndarray, "H W C"]:
        from PIL import ImageOps

        with _opened(files[name], where / name) as image:
            pixels = image.convert(mode)
        return np.asarray(ImageOps.fit(pixels, shape[1::-1]) if size else pixels).reshape(shape)

    def read(indices: Int[np.ndarray, " B"]) -> Examples:
        x = np.stack([decode(names[i][0]) for i in indices])
        return {"x": x} | ({"y": labels[indices]} if classes else {})

    return Source(_identifier(where), len(names), shape, read, classes)


def _layout(names: Iterable[str], where: Path, split: str) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """Returns the images as `(name, class)`, sorted by class and name, and the classes; none for a flat folder."""
    paths = {name: name.split("/") for name in names if name.lower().endswith(IMAGES)}
    paths = {n: [part for part in p if part != "."] for n, p in paths.items()}
    paths = {n: p for n, p in paths.items() if not any(part.startswith((".", "__MACOSX")) for part in p)}

    def tops() -> set[str]:
        return {p[0] for p in paths.values() if len(p) > 1}

    def is_flat() -> bool:
        return any(len(p) == 1 for p in paths.values())

    while len(tops()) == 1 and not is_flat() and tops() != {split}:  # archives often wrap all in one folder
        paths = {n: p[1:] for n, p in paths.items()}
    if split in tops() and tops() <= SPLITS | {split}:  # unless "train" is a class beside "car" and "bus"
        paths = {n: p[1:] for n, p in paths.items() if p[0] == split}
    elif split != "train":  # a folder without splits is training data
        raise BadInput(f"{where} has no folder {split!r}: choose another split")
    if not paths:
        raise BadInput(f"{where} has no images: give a folder of {', '.join(IMAGES)} files")
    if is_flat() and tops():
        raise BadInput(f"{where} has images both in folders and beside them: keep one of the two")
    return [(n, p[0]) for n, p in sorted(paths.items(), key=lambda path: path[1])], tuple(sorted(tops()))


def _mode_and_shape(names: list[tuple[str, str]], files: Files, where: Path, size: int | None) -> tuple[str, Shape]:
    """Finds the Pillow mode and the shape of the images. Reads headers only, to find images of another size early."""
    first, _ = names[0]
    with _opened(files[first], where / first) as image:
        mode = "L" if image.mode in ("1", "L", "LA") else "RGB"
        width, height = image.size
    if size is None:
        for name, _ in names:
            with _opened(files[name], where / name) as image:
                found = image.size
            if found != (width, height):
                sizes = f"{where / name} is {found[0]}x{found[1]}, {first} {width}x{height}"
                raise BadInput(f"{sizes}: resize all to one size with --image-size")
    return mode, (size or height, size or width, len(mode))


@contextmanager
def _opened(open_file: Callable[[], BinaryIO], shown: Path) -> Iterator[Any]:
    from PIL import Image

    try:
        with open_file() as file, Image.open(file) as image:
            yield image
    except Exception as error:  # Pillow and the archive readers raise many types
        raise BadInput(f"{shown} cannot be read as an image: repair or remove it") from error


def _identifier(path: Path) -> str:
    """Derives the name of a data set from its path: `cifar10-jpg.tar.gz` -> `cifar10_jpg`."""
    name = re.sub(r"\.(tar|tar\.gz|tgz|zip)$", "", path.resolve().name, flags=re.IGNORECASE)
    return re.sub(r"\W+", "_", name).strip("_") or "images"
