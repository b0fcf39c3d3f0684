"""Image files: a folder, or an archive of one. Folders within it are classes; files directly in it have no labels."""

import os
import re
import shutil
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Int, UInt8

from gan_jax.data.cache import Decoded, cached
from gan_jax.data.source import Examples, Source, in_chunks
from gan_jax.errors import BadInput

IMAGES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".pgm", ".tif", ".tiff", ".webp")
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".zip")


def folder_source(path: str | Path, size: int | None = None, split: str = "train") -> Source:
    """The images in a folder, decoded as they are read. The first one decides between grey and colour.

    All must have one size, or be cropped to their central square and resized to `size` pixels a side.
    A folder named like the `split` in it is taken instead; one with classes has labels, numbered in their sorted order.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise BadInput(f"{path} is not a folder: give one with images in it")
    return _folder_source(folder, folder, size, split)


def archive_source(path: str | Path, size: int | None = None, split: str = "train") -> Source:
    """The images in a .tar, .tar.gz, .tgz or .zip file, laid out as in a folder; unpacked and decoded once."""
    archive = Path(path).expanduser()
    if not archive.is_file() or not archive.name.lower().endswith(ARCHIVES):
        raise BadInput(f"{path} is not an archive: give a file that ends in {', '.join(ARCHIVES)}")
    stat = archive.stat()
    key = {"path": str(archive.resolve()), "modified": stat.st_mtime_ns, "bytes": stat.st_size}

    def decode(scratch: Path) -> Decoded:
        _unpack(archive, scratch / "unpacked")
        source = _folder_source(scratch / "unpacked", archive, size, split)
        return Decoded(source.size, source.shape, in_chunks(source), source.classes)

    return cached(_identifier(archive), key | {"size": size, "split": split}, decode)


def _folder_source(folder: Path, shown: Path, size: int | None, split: str) -> Source:
    """The images in `folder`, called `shown` in messages."""
    root = _root(folder, split, shown)
    classes = tuple(sorted(d.name for d in _visible(root) if d.is_dir() and _images(d)))
    flat = [f for f in _visible(root) if f.suffix.lower() in IMAGES]
    if classes and flat:
        raise BadInput(f"{shown} has both images and folders of images: keep one of the two")
    if not classes and not flat:
        raise BadInput(f"{shown} has no images in it (looked for {', '.join(IMAGES)})")
    per_class = [_images(root / name) for name in classes] or [flat]
    files = [file for group in per_class for file in group]
    labels = np.repeat(np.arange(len(per_class), dtype=np.int32), [len(group) for group in per_class])

    def show(file: Path) -> str:
        return str(shown / file.relative_to(folder))

    mode, shape = _look(files, size, show)

    def read(indices: Int[np.ndarray, " B"]) -> Examples:
        x = np.stack([_decode(files[i], mode, shape, size is not None, show(files[i])) for i in indices])
        return {"x": x} | ({"y": labels[indices]} if classes else {})

    return Source(_identifier(shown), len(files), shape, read, classes)


def _root(folder: Path, split: str, shown: Path) -> Path:
    """Where the images start: inside the one folder that archives like to wrap them in, and inside the split."""
    while len(inside := _visible(folder)) == 1 and inside[0].is_dir() and inside[0].name != split:
        folder = inside[0]
    if (folder / split).is_dir():
        return folder / split
    if split != "train":  # a folder without splits is one to train on
        raise BadInput(f"{shown} has no folder called {split!r}: choose another split")
    return folder


def _visible(folder: Path) -> list[Path]:
    return sorted(f for f in folder.iterdir() if not f.name.startswith((".", "__MACOSX")))


def _images(folder: Path) -> list[Path]:
    found = (Path(where, name) for where, _, names in os.walk(folder) for name in names)
    return sorted(f for f in found if f.suffix.lower() in IMAGES and not f.name.startswith("."))


def _look(files: Sequence[Path], size: int | None, show) -> tuple[str, tuple[int, int, int]]:
    """The mode and shape that every image is read with. Reads headers only, so that a stray image is found at once."""
    from PIL import Image

    first = None
    for file in files:
        try:
            with Image.open(file) as image:
                found = image.size
                first = first or (found, "L" if image.mode in ("1", "L", "LA") else "RGB")
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise BadInput(f"{show(file)} cannot be read as an image: repair or remove it") from error
        if size is not None:
            break
        if found != first[0]:
            sizes = f"{found[0]}x{found[1]} but {show(files[0])} is {first[0][0]}x{first[0][1]}"
            raise BadInput(f"{show(file)} is {sizes}: give a size to resize all images to")
    (width, height), mode = first
    return mode, (size or height, size or width, 1 if mode == "L" else 3)


def _decode(file: Path, mode: str, shape: tuple[int, int, int], fit: bool, shown: str) -> UInt8[np.ndarray, "H W C"]:
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as image:
            image = image.convert(mode)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadInput(f"{shown} cannot be read as an image: repair or remove it") from error
    if fit:
        image = ImageOps.fit(image, (shape[1], shape[0]), Image.Resampling.LANCZOS)
    pixels = np.asarray(image)
    return pixels.reshape(*pixels.shape[:2], -1)


def _unpack(archive: Path, folder: Path) -> None:
    # "data": no links out of the folder, no devices; zip files cannot hold any.
    safely = {} if archive.suffix.lower() == ".zip" else {"filter": "data"}
    try:
        shutil.unpack_archive(archive, folder, **safely)
    except (tarfile.TarError, BadZipFile, shutil.ReadError, EOFError, zlib.error, OSError) as error:
        raise BadInput(f"{archive} cannot be unpacked ({error}): fetch it again") from error


def _identifier(path: Path) -> str:
    """`cifar10-jpg.tar.gz` -> `cifar10_jpg`: what the data set is called in a run's name."""
    name = path.resolve().name
    for ending in sorted(ARCHIVES, key=len, reverse=True):
        name = name[: -len(ending)] if name.lower().endswith(ending) else name
    return re.sub(r"\W+", "_", name).strip("_") or "images"
