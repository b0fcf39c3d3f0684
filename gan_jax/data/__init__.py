"""Data sets and input pipelines: a batch is a pure function of (seed, step).

`open_source` opens a data set, `shuffle` orders its examples, `device_resident` or `tf_data` make the batches.
May import `engine` and `errors` only. TensorFlow, TFDS and Pillow are imported when they are first used.
"""

import os
import re
from pathlib import Path

from gan_jax.data.on_device import Pipeline, device_resident
from gan_jax.data.source import Source, from_arrays, from_points
from gan_jax.data.sources.archives import ARCHIVES
from gan_jax.data.sources.image_folder import archive_source, folder_source
from gan_jax.data.sources.mnist5k import mnist5k
from gan_jax.data.sources.stacked_mnist import PREFIX, SIDE, stack_digits
from gan_jax.data.sources.subset import NAME, balanced_subset
from gan_jax.data.sources.tfds import tfds_source
from gan_jax.data.sources.toy import FILES, TOY_DATA, points_source
from gan_jax.data.with_tf_data import tf_data
from gan_jax.errors import BadInput

__all__ = [
    "Pipeline",
    "Source",
    "absolute_name",
    "archive_source",
    "balanced_subset",
    "device_resident",
    "folder_source",
    "from_arrays",
    "from_points",
    "mnist5k",
    "open_source",
    "points_source",
    "stack_digits",
    "tf_data",
    "tfds_source",
]

BUILT_IN = {"mnist5k": mnist5k, **TOY_DATA}
"""Data sets by name that need neither a file nor a download."""

few, stacked = balanced_subset, stack_digits
"""Names of earlier releases."""


def open_source(name: str, data_dir: str | Path | None = None, split: str = "train", size: int | None = None) -> Source:
    """Opens a data set.

    Args:
        name: one of `BUILT_IN`, the path of a folder or archive of images, the path of a `.npy` or `.npz` file of
            points, or the name of a TFDS data set. The prefix `stacked:` makes Stacked-MNIST from gray digits. The
            suffix `:N` keeps a class-balanced subset of N training examples; other splits stay whole.
        data_dir: folder with the original archives of a TFDS data set, read instead of a download. A bare name then
            always means a TFDS data set.
        split: name of the split, as TFDS writes it for TFDS data sets.
        size: side in pixels to which the images of a folder or archive are resized; 28 or 32 for `stacked:`.

    Raises:
        BadInput: no such data set or split, or an argument that this kind of data set does not take.
    """
    if name.startswith(PREFIX):
        digits = open_source(name.removeprefix(PREFIX), data_dir, split)
        return stack_digits(digits, size=SIDE if size is None else size)
    if subset := _subset(name):
        source = open_source(subset["all"], data_dir, split, size)
        return balanced_subset(source, int(subset["n"])) if split == "train" else source
    if data_dir is not None and (name in BUILT_IN or _is_path(name)):
        raise BadInput(f"--data-dir is for TFDS data sets, not for {name}: leave it out, or give e.g. --data mnist")
    if name in BUILT_IN and split != "train":
        raise BadInput(f"{name} has no split {split!r}, only train: choose a data set with splits, such as mnist")
    if name in BUILT_IN and size is None:
        return BUILT_IN[name]()
    if path := _path(name, data_dir, size):
        if not path.exists():
            files = f"give a folder, an archive, a file of points ({', '.join(FILES)})"
            raise BadInput(f"{name} does not exist: {files}, {', '.join(BUILT_IN)}, or a TFDS name such as mnist")
        if size is None and name.lower().endswith(FILES):
            return points_source(path)
        return (folder_source if path.is_dir() else archive_source)(path, size, split)
    if size is not None:
        raise BadInput(f"{name} has a fixed image size: --image-size is for folders and archives")
    return tfds_source(name, data_dir, split)


def absolute_name(name: str, data_dir: str | Path | None = None, size: int | None = None) -> str:
    """Returns the name of a data set with its path, if it is one, made absolute: it means the same in any folder."""
    if name.startswith(PREFIX):
        return PREFIX + absolute_name(name.removeprefix(PREFIX), data_dir)
    if subset := _subset(name):
        return f"{absolute_name(subset['all'], data_dir, size)}:{subset['n']}"
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
    return name.startswith(("/", ".", "~")) or name.count("/") > 1 or name.lower().endswith(("/", *ARCHIVES, *FILES))
