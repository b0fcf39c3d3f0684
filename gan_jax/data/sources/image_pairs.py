"""Pairs of images in files: two folders matched by name, or the halves of one image."""

import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, UInt8

from gan_jax.data.modality import IMAGE, Leaf, label_map
from gan_jax.data.source import Examples, Source, stored
from gan_jax.data.sources import decoding
from gan_jax.data.sources.archives import Files, Listing
from gan_jax.data.sources.pair_layout import Pair, PairLayout, find_pairs
from gan_jax.data.sources.survey import Size, Survey, first_three, require_one_size, require_tile, survey
from gan_jax.errors import BadInput

CLASSES = re.compile(r"(?:^|[\W_])(?:label|mask|seg|segmentation)s?(?:[\W_]|$)")
"""Names of folders whose images of one channel are label maps."""


class _Side(NamedTuple):
    """How the images of one side are decoded."""

    names: list[str]
    mode: str
    size: Size
    resize: Size | None
    classes: int = 0
    """The number of classes of a label map; 0 for images."""

    @property
    def leaf(self) -> Leaf:
        """The array of one image."""
        width, height = self.size
        channels = self.classes or len(self.mode)
        return Leaf((height, width, channels), label_map(self.classes) if self.classes else IMAGE)

    def decode(self, files: Files, where: Path, i: int) -> UInt8[np.ndarray, "..."]:
        """Decodes image `i`."""
        name = self.names[i]
        if self.classes:
            return decoding.decode_classes(files[name], where / name, self.resize)
        pixels = decoding.decode(files[name], where / name, self.mode, self.resize)
        return pixels.reshape(*pixels.shape[:2], len(self.mode))


def pair_source(
    listing: Listing,
    where: Path,
    paths: dict[str, list[str]],
    left_out: Counter[str],
    size: int | None,
    split: str,
    pair: Pair | None,
    tile: int | None,
) -> Source:
    """Opens pairs of images `a` and `x` in two folders. Single-channel images in a folder of labels are label maps.

    Their classes are those of `classes.txt`, one a line, or else the values of the training split.

    Raises:
        BadInput: as `find_pairs`; targets of several sizes, or inputs of another size than their target where neither
            is a whole multiple of the other; labels outside the classes.
    """
    layout = find_pairs(paths, where, split, pair, left_out)
    names = tuple(zip(*layout.images, strict=True))
    surveys = [survey(names[side], layout.other_splits[side], listing.files, where) for side in (0, 1)]
    factor = _factor(surveys, where, layout.pair)
    _require_sizes(surveys, factor, where, size, tile)
    told: list[str] = []
    sides = []
    for i, about in enumerate(surveys):
        resize = (2 * (size * factor[0] // factor[1] if i == 0 else size,)) if size else None
        classes = _classes(listing.files, where, layout, i, about, told)
        sides.append(_Side(list(names[i]), about.mode, resize or about.first, resize, classes))

    def read(indices: Int[np.ndarray, " B"]) -> Examples:
        of_sides = [np.stack([side.decode(listing.files, where, i) for i in indices.tolist()]) for side in sides]
        return dict(zip("ax", of_sides, strict=True))

    spec = {name: side.leaf for name, side in zip("ax", sides, strict=True)}
    unusual = [each for about in surveys for each in about.unusual]
    report = "; ".join(filter(None, (layout.report, *told, *unusual)))
    return stored("", len(layout.images), spec, read)._replace(report=report, split=layout.split)


def _require_sizes(
    surveys: Sequence[Survey], factor: tuple[int, int], where: Path, size: int | None, tile: int | None
) -> None:
    if tile:
        require_tile(surveys[1].sizes, tile, where)
    elif size is None:
        for each in surveys:
            require_one_size(each.sizes, where)
    elif (factor[0] * size) % factor[1]:
        raise BadInput(f"{where} has inputs smaller by {factor[1]}: give an --image-size that is a multiple of it")


def halves(source: Source, pair: Pair) -> Source:
    """Cuts images `[H, 2 W, C]` into inputs and targets: `left,right` or `right,left`."""
    height, width, channels = source.spec["x"].shape
    names = ("a", "x") if pair[0] == "left" else ("x", "a")

    def read(indices: Int[np.ndarray, " B"]) -> Examples:
        examples = source.read(indices)
        both = np.split(examples["x"], 2, axis=2)
        return examples | dict(zip(names, both, strict=True))

    spec = {"a": Leaf((height, width // 2, channels), IMAGE), "x": Leaf((height, width // 2, channels), IMAGE)}
    spec |= {name: leaf for name, leaf in source.spec.items() if name != "x"}
    report = "; ".join(filter(None, (source.report, f"pairs {pair[0]} -> {pair[1]}, halves of one image")))
    return stored("", source.size, spec, read, source.classes)._replace(report=report, split=source.split)


def _factor(surveys: Sequence[Survey], where: Path, pair: Pair) -> tuple[int, int]:
    """Returns how many times as large inputs are as targets, as a fraction of which one part is 1."""
    high, height = (about.first[1] for about in surveys)
    times, parts = max(high // height, 1), max(height // high, 1)
    wrong = [
        f"{name} {size[0]}x{size[1]} beside {other[0]}x{other[1]}"
        for (name, size), other in zip(surveys[0].sizes.items(), surveys[1].sizes.values(), strict=True)
        if any(a * parts != b * times for a, b in zip(size, other, strict=True))
    ]
    if wrong:
        what = f"{where} has {len(wrong):,} inputs ({pair[0]}) of another size than their targets ({pair[1]})"
        raise BadInput(f"{what}, first {first_three(wrong)}: give both one size, or one a whole multiple of the other")
    return times, parts


def _classes(files: Files, where: Path, layout: PairLayout, side: int, about: Survey, told: list[str]) -> int:
    """Returns the number of classes of the label maps of a side; 0 if they are images."""
    if not about.classes or not CLASSES.search(layout.pair[side].lower()):
        return 0

    def largest(names: Sequence[str]) -> list[int]:
        with ThreadPoolExecutor(max_workers=4) as pool:
            return list(pool.map(lambda name: int(decoding.decode_classes(files[name], where / name).max()), names))

    names = [pair[side] for pair in layout.images]
    values = largest(names)
    classes = _listed(files, where)
    if not classes:
        training = [pair[side] for pair in layout.training]
        classes = max(values if training == names else largest(training)) + 1
        if classes == 256:
            told.append(f"{layout.pair[side]} taken for gray images, because its values reach 255")
            return 0
    outside = [f"{name} ({value})" for name, value in zip(names, values, strict=True) if value >= classes]
    if outside:
        what = f"{where} has {len(outside):,} label maps with labels outside the {classes} classes"
        raise BadInput(f"{what}, first {first_three(outside)}: correct them, or list all classes in classes.txt")
    return classes


def _listed(files: Files, where: Path) -> int:
    """Counts the classes in `classes.txt`: its lines, or the largest number they begin with; 0 without that file."""
    found = [name for name in files if PurePosixPath(name).name == "classes.txt"]
    if not found:
        return 0
    with files[min(found, key=len)]() as file:
        lines = [line.split() for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
    numbers = [int(line[0]) for line in lines if line[0].isdigit()]
    classes = max(numbers) + 1 if lines and len(numbers) == len(lines) else len(lines)
    if not 0 < classes <= 256:
        raise BadInput(f"{where / found[0]} lists {classes} classes: give 1 to 256, one a line")
    return classes
