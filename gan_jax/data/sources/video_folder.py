"""Videos in a folder or archive: files of several frames, and folders of frames."""

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from gan_jax.data.cache import Decoded, cached
from gan_jax.data.modality import LABEL, VIDEO, Leaf
from gan_jax.data.source import Examples, Source
from gan_jax.data.sources import archives, decoding
from gan_jax.data.sources.archives import Files, Listing
from gan_jax.data.sources.layout import Paths, find_images, find_layout, list_counts
from gan_jax.data.sources.survey import Size, read_headers, require_one_size
from gan_jax.data.sources.windows import FRAMES, count_windows
from gan_jax.errors import BadInput


class Clip(NamedTuple):
    """One file of several frames, or the images of a folder, in the order of time."""

    path: list[str]
    """Its folders and its name."""
    files: list[str]


class Decoder(NamedTuple):
    """How the frames of all clips are decoded."""

    files: Files
    where: Path
    mode: str
    size: Size
    """Width and height of every frame, to which they are resized with `resize`."""
    resize: bool

    def play(self, clip: Clip) -> Iterator[UInt8[np.ndarray, "H W C"]]:
        """Decodes the frames of a clip, one by one. Raises `BadInput` for one of another size."""
        width, height = self.size
        for name in clip.files:
            shown = self.where / name
            for pixels in decoding.decode_frames(
                self.files[name], shown, self.mode, self.size if self.resize else None
            ):
                if pixels.shape[:2] != (height, width):
                    found = f"{shown} has a frame of {pixels.shape[1]}x{pixels.shape[0]}, the others {width}x{height}"
                    raise BadInput(f"{found}: resize all to one size with --image-size")
                yield pixels.reshape(height, width, len(self.mode))


def video_source(path: str | Path, frames: int = FRAMES, split: str = "train", size: int | None = None) -> Source:
    """Opens the clips in a folder or archive, cut into windows of `frames` frames; decodes them into the cache.

    A clip is a file of several frames (GIF, WebP, PNG, TIFF), or a folder of images, its frames in natural order:
    `9.png` before `10.png`. Folders of clips are splits and classes as folders of images are (see `layout`). With
    `size`, frames are cropped to their central square and resized; otherwise all must have one size. Videos are in
    color if any image is; of several frames in a file, the first tells.

    Raises:
        BadInput: no videos, none of so many frames, still images beside videos, frames of several sizes, no such
            split, or a file that is damaged.
    """
    where = Path(path).expanduser()
    archive = archives.archive_of(where)
    if archive is None and not where.is_dir():
        raise BadInput(f"{path} is neither a folder nor an archive: give one with videos in it, or a .npz file")
    inside = where.relative_to(archive or where).as_posix()
    state = (
        archives.state_of_archive(archive)
        if archive
        else archives.state_of_folder(where, archives.in_folder(where).files)
    )
    key = state | {"inside": inside, "video": frames, "split": split, "size": size, "decoder": decoding.VERSION}

    def decode(scratch: Path) -> Decoded:
        listing = archives.in_archive(archive, scratch) if archive else archives.in_folder(where)
        if inside != ".":
            listing = archives.within(listing, inside, archive)
        return _decoded(listing, where, frames, split, size)

    return cached(archives.identifier(where), key, decode)


def _decoded(listing: Listing, where: Path, frames: int, split: str, size: int | None) -> Decoded:
    files, left_out = listing.files, listing.left_out.copy()
    paths = find_images(files, decoding.endings(), left_out)
    if not paths:
        what = "give GIF, WebP or PNG files of several frames, or a folder of frames for every clip"
        raise BadInput(f"{where} has no videos{list_counts(' (left out', left_out, ')')}: {what}")
    headers = read_headers(list(paths), files, where)
    found = find_clips(paths, {name for name, header in headers.items() if header.several}, where)
    layout = find_layout({name: clip.path for name, clip in found.items()}, where, split, left_out)
    clips = [found[name] for name, _ in layout.images]
    sizes = {name: headers[name].size for clip in clips for name in clip.files}
    if size is None:
        require_one_size(sizes, where)
    mode = "RGB" if any(header.color for header in headers.values()) else "L"
    decoder = Decoder(files, where, mode, (size, size) if size else next(iter(sizes.values())), bool(size))
    lengths = [
        sum(decoding.count_frames(files[name], where / name) if headers[name].several else 1 for name in clip.files)
        for clip in clips
    ]
    counts, cut = count_windows(lengths, frames, where)
    labels = [layout.classes.index(name) for _, name in layout.images] if layout.classes else []
    spec = {"x": Leaf((frames, *decoder.size[::-1], len(mode)), VIDEO)} | ({"y": Leaf((), LABEL)} if labels else {})
    report = "; ".join(filter(None, (layout.report, cut, list_counts("left out", left_out))))
    return Decoded(spec, _windows(decoder, clips, counts, labels, frames), layout.classes, report, layout.split)


def _windows(
    decoder: Decoder, clips: Sequence[Clip], counts: Sequence[int], labels: Sequence[int], frames: int
) -> Iterator[Examples]:
    """Yields the windows of every clip, one by one, with its label if there are any."""
    for i, (clip, count) in enumerate(zip(clips, counts, strict=True)):
        played = decoder.play(clip)
        for _ in range(count):
            x = np.stack(list(islice(played, frames)))[None]
            yield {"x": x} | ({"y": np.array([labels[i]], np.int32)} if labels else {})
        for _ in played:  # what is left out may be damaged
            pass


def find_clips(paths: Paths, several: Collection[str], where: Path) -> dict[str, Clip]:
    """Groups image files into clips: each that has several frames, and the others by their folder.

    Raises:
        BadInput: still images lie beside files of several frames, or at the top.
    """
    clips: dict[str, Clip] = {}
    for name, path in paths.items():
        of_clip = list(path if name in several else path[:-1])
        clips.setdefault("/".join(of_clip), Clip(of_clip, [])).files.append(name)
    for folder in sorted({"", *("/".join(paths[name][:-1]) for name in several)} & clips.keys()):
        still = f"{where / clips[folder].files[0]} is a still image where videos are"
        raise BadInput(f"{still}: remove it, or move the frames of every clip into a folder of their own")
    for clip in clips.values():
        clip.files.sort(key=_in_natural_order)
    return clips


def _in_natural_order(name: str) -> list[str | int]:
    """Splits a name into text and numbers, which alternate, so that numbers are compared as such."""
    return [int(part) if i % 2 else part for i, part in enumerate(re.split(r"(\d+)", name))]
