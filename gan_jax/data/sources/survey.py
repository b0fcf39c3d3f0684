"""What the headers of image files say of them together: gray or color, their sizes, and what is unusual."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from gan_jax.data.sources import decoding
from gan_jax.data.sources.archives import Files
from gan_jax.errors import BadInput

Size = tuple[int, int]
"""Width and height."""


class Survey(NamedTuple):
    """The headers of several images."""

    mode: str
    """The Pillow mode that all are decoded to: RGB if any is in color, else L."""
    sizes: dict[str, Size]
    """By file name."""
    classes: bool
    """Whether the bytes of all can be classes: one channel or a palette, and not JPEG."""
    unusual: list[str]

    @property
    def first(self) -> Size:
        """The size of the first image."""
        return next(iter(self.sizes.values()))


def survey(names: Sequence[str], other_splits: Sequence[str], files: Files, where: Path) -> Survey:
    """Reads the headers of images. They are in color if any of any split is, so that all splits have one shape."""

    headers, others = (read_headers(each, files, where) for each in (names, other_splits))
    color = any(header.color for header in (*headers.values(), *others.values()))
    deep, several = (sum(getattr(header, name) for header in headers.values()) for name in ("deep", "several"))
    unusual = [f"{deep:,} with 16 bits, read as v >> 8"] * (deep > 0)
    unusual += [f"{several:,} with several pages or frames, of which the first is read"] * (several > 0)
    sizes = {name: header.size for name, header in headers.items()}
    return Survey("RGB" if color else "L", sizes, all(header.classes for header in headers.values()), unusual)


def read_headers(names: Sequence[str], files: Files, where: Path) -> dict[str, decoding.Header]:
    """Reads the headers of images, several at a time."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        return dict(
            zip(names, pool.map(lambda name: decoding.read_header(files[name], where / name), names), strict=True)
        )


def require_one_size(sizes: Mapping[str, Size], where: Path) -> None:
    """Raises `BadInput` if images differ in size."""
    first, size = next(iter(sizes.items()))
    for name, other in sizes.items():
        if other != size:
            both = f"{where / name} is {other[0]}x{other[1]}, {first} {size[0]}x{size[1]}"
            raise BadInput(f"{both}: resize all to one size with --image-size")


def require(sizes: Mapping[str, Size], fits: Callable[[Size], bool], where: Path, wanted: str, cure: str) -> None:
    """Raises `BadInput`, with the first three names, if some sizes do not fit."""
    wrong = [f"{name} {size[0]}x{size[1]}" for name, size in sizes.items() if not fits(size)]
    if wrong:
        raise BadInput(f"{where} has {len(wrong):,} images that {wanted}, first {first_three(wrong)}: {cure}")


def require_tile(sizes: Mapping[str, Size], tile: int, where: Path) -> None:
    """Raises `BadInput` if images are too small for tiles of `tile` pixels a side."""
    cure = "leave them out, or give a smaller --tile"
    require(sizes, lambda size: min(size) >= tile, where, f"are smaller than --tile {tile}", cure)


def first_three(names: Sequence[str]) -> str:
    """Lists the first three names, and tells whether there are more."""
    return ", ".join([*names[:3], *["..."] * (len(names) > 3)])
