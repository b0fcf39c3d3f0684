"""Images of a folder, an archive or an .npz file at their own sizes, and the pairs of two such sets by name.

`data` reads images of one size; targets of super-resolution and denoising have many.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from hashlib import sha256
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, UInt8

from gan_jax.data import open_source
from gan_jax.data.modality import IMAGE
from gan_jax.data.source import Source, in_chunks
from gan_jax.data.sources import decoding
from gan_jax.data.sources.archives import Listing, archive_of, in_archive, in_folder, within
from gan_jax.data.sources.layout import find_images
from gan_jax.errors import BadInput
from gan_jax.evaluation.inputs import CHUNK, read_examples
from gan_jax.evaluation.real_data import open_examples
from gan_jax.metrics.features.network import Images

Mode = Literal["L", "RGB"]
"""Pillow's names of gray and color."""


class ImageFile(NamedTuple):
    """An image that is decoded on demand."""

    size: tuple[int, int]
    """Width and height."""
    color: bool
    read: Callable[[Mode], UInt8[np.ndarray, "H W C"]]
    read_classes: Callable[[], UInt8[np.ndarray, "H W"]] | None
    """Reads a label map; None for images that cannot be one, those in color or JPEG."""
    read_alpha: Callable[[], UInt8[np.ndarray, "H W"]] | None = None
    """Reads the alpha channel, 0 for transparent; None without any."""


class ImageSet(NamedTuple):
    """Images by name: the path without folders that all share, and without the ending."""

    name: str
    where: Path
    images: dict[str, ImageFile]
    report: str
    """How many images there are, and the files left out."""
    labels: Callable[[], dict[str, str]]
    """Returns the class of every image by its name: its label, or the folder that it is in; empty without any."""

    @property
    def mode(self) -> Mode:
        """Color if any image is in color, so that gray images among them count as colors."""
        return "RGB" if any(image.color for image in self.images.values()) else "L"

    def decoded(self, mode: Mode) -> Iterator[Images]:
        """Decodes one image after the other, as `[1, H, W, C]`."""
        return (image.read(mode)[None] for image in self.images.values())

    def label_map(self, name: str, classes: int) -> UInt8[np.ndarray, "H W"]:
        """Decodes an image as a label map. Raises `BadInput` if it cannot be one of 0 to `classes` - 1."""
        read = self.images[name].read_classes
        if read is None:
            raise BadInput(f"{self.where}: {name} is no label map: give images of one channel or a palette, not JPEG")
        labels = read()
        if labels.max() >= classes:
            wrong = f"label {labels.max()}, outside the {classes} classes 0 to {classes - 1}"
            raise BadInput(f"{self.where}: {name} has {wrong}: give label maps of the classes of the training data")
        return labels

    def hole(self, name: str) -> Bool[np.ndarray, "H W"]:
        """Decodes the hole of an image, true where it is not opaque. Raises `BadInput` if that is everywhere."""
        width, height = self.images[name].size
        read = self.images[name].read_alpha
        hole = read() < 255 if read else np.zeros((height, width), bool)
        if hole.all():
            raise BadInput(f"{self.where}: {name} is transparent everywhere: make the hole alone transparent")
        return hole

    def filled(self, name: str, mode: Mode) -> UInt8[np.ndarray, "H W C"]:
        """Decodes an image with the mean color of the rest in its hole, as in training. Raises as `hole`."""
        pixels, hole = self.images[name].read(mode), self.hole(name)[..., None]
        return np.where(hole, np.rint(pixels.mean((0, 1), where=~hole)), pixels).astype(np.uint8)

    def digest(self) -> str:
        """Computes the sha256 of all names and pixels."""
        sha = sha256()
        for name, pixels in zip(self.images, self.decoded(self.mode), strict=True):
            sha.update(f"{name} {pixels.shape}\n".encode() + pixels.tobytes())
        return sha.hexdigest()


def open_named(
    name: str, scratch: Path, split: str = "train", size: int | None = None, data_dir: Path | None = None
) -> ImageSet:
    """Opens images by path or, for what is no path, a split of a data set, also named as in `usps.npz@test`.

    Raises:
        BadInput: as `open_image_set` or `open_source`, or files without splits are asked for one, or `data_dir` is
            given with them.
    """
    path = Path(os.path.expanduser(name))
    if is_image_set(path) and data_dir:
        raise BadInput(f"--data-dir is for TFDS data sets, not for {name}: leave it out")
    if is_image_set(path) and split == "train":
        return open_image_set(path, scratch, size)
    if is_image_set(path) and path.suffix != ".npz":
        raise BadInput(f"--split {split}: {name} is read as a whole: give the folder of the split instead")
    data, _, named = name.partition("@")
    return of_source(open_source(data, data_dir, named or split, size), Path(name))


def open_image_set(path: Path, scratch: Path, size: int | None = None) -> ImageSet:
    """Opens an image file, or those of a folder, an archive (unpacked into `scratch` if compressed) or an .npz file.

    A path may lead into an archive, as in `photos.zip/test`. Images of an .npz file are named by their index. With
    `size` images are cropped and resized to squares, as for training.

    Raises:
        BadInput: there are no images, two have one name, or a file cannot be read.
    """
    if path.suffix == ".npz":
        return of_source(open_examples(str(path), size=size), path)
    listing = _listing(path, scratch)
    left_out: Counter[str] = listing.left_out.copy()
    files = list(find_images(listing.files, decoding.endings(), left_out))
    if not files:
        raise BadInput(f"{path} holds no images: give a folder, an archive or an .npz file of images")
    images = {}
    for name, file in _names(files, path).items():
        opened, shown = listing.files[file], path if _is_image(path) else path / file
        header = decoding.read_header(opened, shown)
        resize = (size, size) if size else None
        read = partial(_decode, opened, shown, resize)
        classes = partial(decoding.decode_classes, opened, shown, resize) if header.classes else None
        alpha = partial(decoding.decode_alpha, opened, shown, resize) if header.alpha else None
        images[name] = ImageFile(resize or header.size, header.color, read, classes, alpha)
    name = re.sub(r"\.(tar|tar\.gz|tgz|zip)$", "", path.resolve().name, flags=re.IGNORECASE)
    rest = f"; left out {left_out.total():,}: {', '.join(f'{n:,} {why}' for why, n in left_out.items())}"
    report = f"{name}: {len(images):,} images{rest if left_out else ''}"
    return ImageSet(name, path, images, report, partial(_folders, images))


def _folders(names: Iterable[str]) -> dict[str, str]:
    """Returns the folder of every name that has one."""
    folders = {name: PurePosixPath(name).parent.name for name in names}
    return {name: folder for name, folder in folders.items() if folder}


def _listing(path: Path, scratch: Path) -> Listing:
    if path.is_dir():
        return in_folder(path)
    if _is_image(path):
        return Listing({path.name: partial(path.open, "rb")}, Counter())
    archive = archive_of(path) or path
    listing = in_archive(archive, scratch)
    return listing if path == archive else within(listing, path.relative_to(archive).as_posix(), archive)


def _names(files: Iterable[str], path: Path) -> dict[str, str]:
    """Returns the file of every name, sorted. Raises `BadInput` if two files have one name."""
    parts = {file: PurePosixPath(file).with_suffix("").parts for file in files}
    folders = zip(*(words[:-1] for words in parts.values()), strict=False)
    shared = len(list(takewhile(lambda names: len(set(names)) == 1, folders)))
    named: dict[str, str] = {}
    for file, words in sorted(parts.items(), key=lambda item: item[::-1]):
        other = named.setdefault("/".join(words[shared:]), file)
        if other != file:
            raise BadInput(f"{path} has two images of one name, {other} and {file}: keep one of them")
    return named


def _decode(opened: Callable, shown: Path, resize: tuple[int, int] | None, mode: Mode) -> UInt8[np.ndarray, "H W C"]:
    pixels = decoding.decode(opened, shown, mode, resize)
    return pixels.reshape(*pixels.shape[:2], len(mode))


def of_source(source: Source, path: Path) -> ImageSet:
    """Makes a set of the images `x` of a data set, named by their index. Raises `BadInput` if it has none."""
    if (leaf := source.spec["x"]).modality != IMAGE:
        raise BadInput(f"{path} holds {leaf.modality.describe(leaf.shape)}: this needs images")
    height, width, channels = leaf.shape
    if not source.size or channels not in (1, 3):
        raise BadInput(f"{path} holds {source.size} images of {channels} channels: give at least one, gray or color")

    @lru_cache(maxsize=2)
    def chunk(first: int) -> Images:
        return read_examples(source, np.arange(first, min(first + CHUNK, source.size))).examples

    def read(i: int, mode: Mode) -> UInt8[np.ndarray, "H W C"]:
        from PIL import Image

        pixels = chunk(i - i % CHUNK)[i % CHUNK]
        image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
        return np.asarray(image.convert(mode)).reshape(height, width, len(mode))

    def image(i: int) -> ImageFile:
        classes = (lambda: read(i, "L")[..., 0]) if channels == 1 else None
        return ImageFile((width, height), channels == 3, partial(read, i), classes)

    images = {str(i): image(i) for i in range(source.size)}
    return ImageSet(source.name, path, images, f"{source.name}: {source.size:,} images", partial(_classes, source))


def _classes(source: Source) -> dict[str, str]:
    """Returns the class of every example by its index; empty without labels. Labels without names are their numbers."""
    if "y" not in source.spec:
        return {}
    labels = np.concatenate([chunk["y"] for chunk in in_chunks(source)])
    return {str(i): source.classes[y] if source.classes else str(y) for i, y in enumerate(labels)}


def is_image_set(path: Path) -> bool:
    """Whether a path is a folder, an image, a .npz file, an archive, or leads into one: what `open_image_set` opens."""
    file = path.is_file() and path.suffix.lower() == ".npz"
    return path.is_dir() or file or _is_image(path) or archive_of(path) is not None


def _is_image(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in decoding.endings()


def pairs(x: ImageSet, target: ImageSet) -> Iterator[tuple[str, Images, Images]]:
    """Decodes one pair after the other: name, image and target, `[1, H, W, C]`, in the mode of the targets.

    Raises:
        BadInput: an image has no partner of its name, or pairs differ in size.
    """
    check_pairs(x, target)
    mode = target.mode
    for name, image in target.images.items():
        yield name, x.images[name].read(mode)[None], image.read(mode)[None]


def as_outputs(inputs: ImageSet, target: ImageSet) -> ImageSet:
    """Makes the floor of a translation: its inputs, in place of its outputs.

    Those smaller than their targets are enlarged with Pillow's BICUBIC; holes have the mean color of the rest.

    Raises:
        BadInput: an input has no partner of its name, or is larger than it.
    """
    check_partners(inputs, target)

    def enlarged(name: str, size: tuple[int, int], mode: Mode) -> UInt8[np.ndarray, "H W C"]:
        from PIL import Image

        pixels = inputs.filled(name, mode)
        if inputs.images[name].size == size:
            return pixels
        shown = Image.fromarray(pixels if mode == "RGB" else pixels[..., 0]).resize(size, Image.Resampling.BICUBIC)
        return np.asarray(shown).reshape(*size[::-1], len(mode))

    images = {}
    for name, image in inputs.images.items():
        size = target.images[name].size
        if any(own > other for own, other in zip(image.size, size, strict=True)):
            sizes = " and ".join(f"{width}x{height}" for width, height in (image.size, size))
            raise BadInput(f"{inputs.where}: {name} is larger than its target ({sizes}): give what was translated")
        images[name] = ImageFile(size, image.color, partial(enlarged, name, size), None)
    return inputs._replace(images=images)


def check_partners(x: ImageSet, target: ImageSet) -> None:
    """Raises `BadInput`, with the first three names, unless both sets have the same names."""
    for here, there in ((x, target), (target, x)):
        if alone := [name for name in here.images if name not in there.images]:
            counted = f"{len(alone):,} of {len(here.images):,} images of {here.where} ({_first(alone)})"
            raise BadInput(
                f"{counted} have no partner in {there.where}: give partners one name, whatever the ending; images of "
                "an .npz file are named 0, 1, ..."
            )


def check_pairs(x: ImageSet, target: ImageSet) -> None:
    """Raises `BadInput`, with the first three names, unless both sets have the same names and sizes."""
    check_partners(x, target)
    sizes = {name: (x.images[name].size, image.size) for name, image in target.images.items()}
    wrong = [f"{name} {a[0]}x{a[1]} and {b[0]}x{b[1]}" for name, (a, b) in sizes.items() if a != b]
    if wrong:
        raise BadInput(
            f"{len(wrong):,} of {len(sizes):,} pairs of {x.where} and {target.where} differ in size ({_first(wrong)}): "
            "crop or resize one of each pair"
        )


def _first(names: list[str]) -> str:
    return ", ".join([*names[:3], "..."] if len(names) > 3 else names)
