"""Data sets and input pipelines: a batch is a pure function of (seed, step).

`open_source` opens a data set, `shuffle` orders its examples, `device_resident` or `tf_data` make the batches.
May import `engine` and `errors` only. TensorFlow, TFDS and Pillow are imported when they are first used.
"""

import os
import re
from contextlib import suppress
from pathlib import Path

from gan_jax.data.derived import in_color, on_ground, resized
from gan_jax.data.modality import AUDIO, VIDEO
from gan_jax.data.moving import moving
from gan_jax.data.on_device import Pipeline, device_resident
from gan_jax.data.source import Source, from_arrays, from_points, from_videos
from gan_jax.data.sources.archives import ARCHIVES, archive_of
from gan_jax.data.sources.array_file import FILES, array_source, pair_in, video_array
from gan_jax.data.sources.atari import atari
from gan_jax.data.sources.attributes import attributes_of, labeled_by, with_attributes
from gan_jax.data.sources.image_folder import archive_source, folder_source
from gan_jax.data.sources.mnist5k import mnist5k
from gan_jax.data.sources.pair_layout import KNOWN, words_of
from gan_jax.data.sources.paired import paired
from gan_jax.data.sources.photo_grounds import on_photographs
from gan_jax.data.sources.recordings import LENGTH, windows
from gan_jax.data.sources.sound_array import sound_array
from gan_jax.data.sources.sound_files import sound_files
from gan_jax.data.sources.stacked_mnist import PREFIX, SIDE, stack_digits
from gan_jax.data.sources.subset import NAME, balanced_subset
from gan_jax.data.sources.tfds import DOMAINS, tfds_source
from gan_jax.data.sources.tones import tones
from gan_jax.data.sources.toy import TOY_DATA
from gan_jax.data.sources.unpaired import AUTO, by_class, plain, the_two_classes, unpaired
from gan_jax.data.sources.video_folder import video_source
from gan_jax.data.sources.windows import FRAMES
from gan_jax.data.with_tf_data import tf_data
from gan_jax.errors import BadInput

__all__ = [
    "Pipeline",
    "Source",
    "absolute_name",
    "archive_source",
    "array_source",
    "balanced_subset",
    "by_class",
    "device_resident",
    "folder_source",
    "from_arrays",
    "from_points",
    "from_videos",
    "mnist5k",
    "open_source",
    "paired",
    "points_source",
    "stack_digits",
    "tf_data",
    "tfds_source",
    "unpaired",
    "video_array",
    "video_source",
]

BUILT_IN = {"mnist5k": mnist5k, **TOY_DATA, "tones": tones}
"""Data sets by name that need neither a file nor a download."""

DERIVED = {"ground:": on_ground, "color:": in_color, "moving:": moving}
"""Prefixes of names, and what they make of the data set."""

GROUNDS = re.compile(r"ground=(?P<photographs>[^:]+):(?P<data>.+)")
"""Names of data sets on grounds of their own."""

ATTRIBUTES = re.compile(r"(?:attributes|label=(?P<attribute>[^:]+)):(?P<data>.+)")
"""Names of images with the attributes of a .csv file beside them, or with one of these as their label."""

SOUNDS = re.compile(r"audio(?:=(?P<length>[1-9]\d*))?:(?P<data>.+)")
"""Names of recordings in files, and the number of samples of the windows that are cut of them."""
VIDEOS = re.compile(r"video(?:=(?P<frames>\d+))?:(?P<data>.+)")
"""Names of videos of a number of frames in files."""

ATARI = re.compile(r"atari(?:=(?P<frames>[1-9]\d*))?:(?P<game>\w+)")
"""Names of videos of Atari games, and the number of their frames."""

few, stacked, points_source = balanced_subset, stack_digits, array_source
"""Names of earlier releases."""


def open_source(
    name: str,
    data_dir: str | Path | None = None,
    split: str = "train",
    size: int | None = None,
    *,
    pair: str = "",
    to: str = "",
    tile: int | None = None,
) -> Source:
    """Opens a data set.

    Args:
        name: one of `BUILT_IN`, the path of a folder or archive of images, the path of a `.npy` or `.npz` file of
            images or points, or the name of a TFDS data set. The prefix `stacked:` makes Stacked-MNIST from gray
            digits, `ground:` puts digits on grounds of random color, `ground=PHOTOGRAPHS:` on crops of photographs,
            `color:` makes gray images color, `moving:` makes images move in a video. `label=ATTRIBUTE:` takes a column
            of a `.csv` file beside images as their label, `attributes:` all of them as the array `attributes` (see
            `sources.attributes`). `audio:PATH` opens sounds in a folder, archive or `.npz` file, in windows of 4,096
            samples, `audio=8192:PATH` of 8,192; `video:PATH` and `video=T:PATH` videos of 16 or T frames (see
            `sources.video_folder`); `atari:GAME` and `atari=T:GAME` those of a game (see `sources.atari`). The suffix
            `:N` keeps a class-balanced subset of N training examples; other splits stay whole.
        data_dir: folder with the original archives of a TFDS data set, read instead of a download. A bare name then
            always means a TFDS data set.
        split: name of the split, as TFDS writes it for TFDS data sets.
        size: side in pixels to which images are cropped and resized; 28 or 32 for `stacked:`.
        pair: `INPUT,TARGET`, names of what becomes `a` and `x`: folders, arrays, or `left,right`; `auto` takes
            well-known names (see `sources.pair_layout`).
        to: the data set of domain `b`; or a class of a source of two classes. `auto` takes the second class, or the
            folders A and B of a split, as in `trainA` and `trainB`.
        tile: side in pixels of the squares that photographs are cut into.

    Raises:
        BadInput: no such data set or split, or an argument that this kind of data set does not take.
    """
    if to and pair:
        raise BadInput(f"--pair {pair} is for pairs and --to {to} for unpaired data: leave one of them out")
    if to:
        return _open_unpaired(name, to, data_dir, split, size, tile)
    if (pair or tile) and _made_of_another(name):
        flag = f"--pair {pair}" if pair else f"--tile {tile}"
        raise BadInput(f"{flag} is for files and TFDS data sets, not for {name}: leave it out")
    if name.startswith(PREFIX):
        digits = open_source(name.removeprefix(PREFIX), data_dir, split)
        return stack_digits(digits, size=SIDE if size is None else size)
    if prefix := _derived_prefix(name):
        return DERIVED[prefix](open_source(name.removeprefix(prefix), data_dir, split, size))
    if grounds := GROUNDS.fullmatch(name):
        return _on_grounds(open_source(grounds["data"], data_dir, split, size), grounds["photographs"])
    if subset := _subset(name):
        source = open_source(subset["all"], data_dir, split, size, pair=pair, tile=tile)
        return balanced_subset(source, int(subset["n"])) if split == "train" else source
    if found := ATTRIBUTES.fullmatch(name):
        return _with_attributes(open_source(found["data"], data_dir, split, size), found, split)
    if found := SOUNDS.fullmatch(name):
        return _windows(found, split, size, data_dir)
    if videos := VIDEOS.fullmatch(name):
        return _open_videos(videos, data_dir, split, size)
    if found := ATARI.fullmatch(name):
        return _play(found, data_dir, split, size)
    if data_dir is not None and (name in BUILT_IN or _is_path(name)):
        raise BadInput(f"--data-dir is for TFDS data sets, not for {name}: leave it out, or give e.g. --data mnist")
    if path := _path(name, data_dir, size):
        return _open_path(name, path, split, size, pair, tile)
    if name in BUILT_IN and split != "train":
        raise BadInput(f"{name} has no split {split!r}, only train: choose a data set with splits, such as mnist")
    if name not in BUILT_IN:
        source = tfds_source(name, data_dir, split, size, pair, tile)
        return windows(source, LENGTH) if source.spec["x"].modality.rate else source
    return BUILT_IN[name]() if size is None else _resized(BUILT_IN[name](), size)


def _made_of_another(name: str) -> bool:
    """Whether a name is built in, or of sounds, videos or data made of another set: without pairs and tiles."""
    made = name.startswith((PREFIX, *DERIVED, "ground="))
    return name in BUILT_IN or made or any(kind.fullmatch(name) for kind in (ATTRIBUTES, SOUNDS, VIDEOS, ATARI))


def _open_videos(name: re.Match, data_dir: str | Path | None, split: str, size: int | None) -> Source:
    """Opens the videos of files or of a TFDS data set, cut into windows of one number of frames."""
    path, frames = Path(os.path.expanduser(name["data"])), int(name["frames"] or FRAMES)
    if not _path(name["data"], data_dir, size):
        source = tfds_source(name["data"], data_dir, split, size, frames=frames)
        return _of_kind(source, VIDEO.name)
    if data_dir is not None:
        raise BadInput(f"--data-dir is for TFDS data sets, not for {name.string}: leave it out")
    if path.suffix.lower() != ".npz":
        return video_source(path, frames, split, size)
    if size:
        raise BadInput(f"{path} holds videos of one size: leave --image-size out")
    return video_array(path, frames, split)


def _play(name: re.Match, data_dir: str | Path | None, split: str, size: int | None) -> Source:
    if data_dir is not None:
        raise BadInput(f"--data-dir is for TFDS data sets, not for {name.string}: leave it out")
    return atari(name["game"], int(name["frames"] or FRAMES), split, size)


def _with_attributes(images: Source, name: re.Match, split: str) -> Source:
    """Adds the attributes of a .csv file beside images, or makes one of them their label."""
    table = attributes_of(Path(os.path.expanduser(name["data"])), split)
    attribute = name["attribute"]
    return labeled_by(images, table, attribute) if attribute else with_attributes(images, table)


def _windows(name: re.Match, split: str, size: int | None, data_dir: str | Path | None) -> Source:
    """Opens the recordings of files or of a TFDS data set, and cuts windows of one length out of them."""
    path, length = Path(os.path.expanduser(name["data"])), int(name["length"] or LENGTH)
    if not _path(name["data"], data_dir, size):
        return windows(_of_kind(tfds_source(name["data"], data_dir, split, size), AUDIO), length)
    if size or data_dir:
        flag = "--image-size is for images" if size else "--data-dir is for TFDS data sets"
        raise BadInput(f"{flag}, not for {name[0]}: leave it out")
    recordings = (sound_array if path.suffix.lower() == ".npz" else sound_files)(path, split)
    return windows(recordings, length)


def _of_kind(source: Source, kind: str) -> Source:
    """Returns a source of this kind. Raises `BadInput` for another."""
    if (found := source.spec["x"].modality).name != kind:
        raise BadInput(f"{source.name} has {found.plural}, not {kind}: leave the prefix {kind}: out")
    return source


def _on_grounds(source: Source, photographs: str) -> Source:
    """Puts images on crops of photographs, which are cut into squares of twice their side so that they fit memory."""
    tile = 2 * max(source.shape[:2])
    try:
        squares = open_source(photographs, tile=tile)
    except BadInput as error:
        raise BadInput(f"grounds of {source.name}, cut from squares of {tile} pixels: {error}") from error
    return on_photographs(source, squares)


def _open_path(name: str, path: Path, split: str, size: int | None, pair: str, tile: int | None) -> Source:
    if not path.exists():
        if archive := archive_of(path):
            return archive_source(archive, size, split, pair, tile, path.relative_to(archive).as_posix())
        files = f"give a folder, an archive, a file of images or points ({', '.join(FILES)})"
        raise BadInput(f"{name} does not exist: {files}, {', '.join(BUILT_IN)}, or a TFDS name such as mnist")
    if path.is_dir() or not name.lower().endswith(FILES):
        return (folder_source if path.is_dir() else archive_source)(path, size, split, pair, tile)
    if (pair and size) or tile:
        raise BadInput(f"{name} holds arrays of one size: leave --image-size and --tile out")
    words = (pair_in(path, KNOWN) if pair == AUTO else words_of(pair)) if pair else None
    source = array_source(path, split, words)
    return source if size is None else _resized(source, size)


def _open_unpaired(
    name: str, to: str, data_dir: str | Path | None, split: str, size: int | None, tile: int | None
) -> Source:
    """Opens unpaired data; a folder with the name of a class is a data set."""

    def opened(name: str) -> Source:
        inner = GROUNDS.sub(r"\g<data>", name)
        inner = inner.removeprefix(_derived_prefix(inner))
        return open_source(name, None if inner in BUILT_IN or _is_path(inner) else data_dir, split, size, tile=tile)

    if to == AUTO and name.startswith(DOMAINS):
        return unpaired(*(plain(tfds_source(name, data_dir, f"{split}{side}", size, tile=tile)) for side in "AB"))
    try:
        source = opened(name)
    except BadInput:
        if to != AUTO or not _path(name, data_dir, size):
            raise
        inside = (f"{name.rstrip('/')}/{split}{side}" for side in "AB")
        with suppress(BadInput):  # the first error says what the folders are
            return unpaired(*(open_source(each, size=size, tile=tile) for each in inside))._replace(split=split)
        raise
    if to == AUTO or (to in source.classes and not _path(to, data_dir, size)):
        return the_two_classes(source, to)
    return unpaired(source, opened(to))


def _resized(source: Source, size: int) -> Source:
    if len(source.shape) != 3:
        raise BadInput(f"{source.name} has no images, but {source.spec['x'].modality.plural}: leave --image-size out")
    return resized(source, size)


def _derived_prefix(name: str) -> str:
    return next((prefix for prefix in DERIVED if name.startswith(prefix)), "")


def absolute_name(name: str, data_dir: str | Path | None = None, size: int | None = None) -> str:
    """Returns the name of a data set with its path, if it is one, made absolute: it means the same in any folder."""
    for prefix in (PREFIX, *DERIVED):
        if name.startswith(prefix):
            return prefix + absolute_name(name.removeprefix(prefix), data_dir, None if prefix == PREFIX else size)
    if grounds := GROUNDS.fullmatch(name):
        return f"ground={absolute_name(grounds['photographs'])}:{absolute_name(grounds['data'], data_dir, size)}"
    if subset := _subset(name):
        return f"{absolute_name(subset['all'], data_dir, size)}:{subset['n']}"
    if found := ATTRIBUTES.fullmatch(name) or SOUNDS.fullmatch(name) or VIDEOS.fullmatch(name):
        return name[: found.start("data")] + absolute_name(found["data"], data_dir, size)
    path = _path(name, data_dir, size)
    return os.path.abspath(path) if path else name


def _subset(name: str) -> re.Match | None:
    """Matches `NAME:N`, unless that is the name of a file."""
    return None if os.path.exists(os.path.expanduser(name)) else NAME.fullmatch(name)


def _path(name: str, data_dir: str | Path | None, size: int | None) -> Path | None:
    """Returns the path that a name means; None if it is the name of a built-in or TFDS data set."""
    path = Path(os.path.expanduser(name))
    if name in BUILT_IN and size is None:
        return None
    return path if _is_path(name) or (data_dir is None and path.exists()) else None


def _is_path(name: str) -> bool:
    """Tells paths from names of TFDS data sets, which contain at most one slash (`emnist/letters`)."""
    in_archive = any(f"{ending}/" in name.lower() for ending in ARCHIVES)
    ends = name.lower().endswith(("/", *ARCHIVES, *FILES))
    return name.startswith(("/", ".", "~")) or name.count("/") > 1 or ends or in_archive
