"""Data: a batch is a pure function of (seed, step).

`open_source` finds the examples, `order.indices` says which are dealt when, and a pipeline (`device_resident`,
`tf_data`) turns that into batches. Nothing heavy is imported until it is used.
"""

import os
from pathlib import Path

from gan_jax.data.on_device import Pipeline, device_resident
from gan_jax.data.source import Source, from_arrays, from_points
from gan_jax.data.sources.archives import ARCHIVES
from gan_jax.data.sources.image_folder import archive_source, folder_source
from gan_jax.data.sources.mnist5k import mnist5k
from gan_jax.data.sources.stacked_mnist import PREFIX, SIDE, stacked
from gan_jax.data.sources.subset import NAME, few
from gan_jax.data.sources.tfds import tfds_source
from gan_jax.data.sources.toy import FILES, WORLDS, points_source
from gan_jax.data.with_tf_data import tf_data
from gan_jax.errors import BadInput

__all__ = [
    "Pipeline",
    "Source",
    "archive_source",
    "device_resident",
    "few",
    "folder_source",
    "from_arrays",
    "from_points",
    "mnist5k",
    "open_source",
    "points_source",
    "stacked",
    "tf_data",
    "tfds_source",
]

BUILT_IN = {"mnist5k": mnist5k, **WORLDS}
"""What needs neither a file nor a download, by its name."""


def open_source(name: str, data_dir: str | Path | None = None, split: str = "train", size: int | None = None) -> Source:
    """The data set that a name stands for: one of `BUILT_IN`, a folder, an archive or a file by its path, or TFDS's.

    `data_dir` is a folder with the original archives of a TFDS data set, to be used instead of a download; with it,
    a bare name is always TFDS's. `size` is what the images of a folder or archive are resized to. A file is `.npy` or
    `.npz` and holds points. `stacked:` before the name of gray digits makes Stacked-MNIST of them, of size 28 or 32.
    `:N` after the name of a labeled source leaves N of its training examples; other splits stay whole.
    """
    if name.startswith(PREFIX):
        digits = open_source(name.removeprefix(PREFIX), data_dir, split)
        return stacked(digits, size=SIDE if size is None else size)
    path = Path(os.path.expanduser(name))
    if (some := NAME.fullmatch(name)) and not path.exists():
        source = open_source(some["all"], data_dir, split, size)
        return few(source, int(some["n"])) if split == "train" else source
    if data_dir is not None and (name in BUILT_IN or _is_path(name)):
        raise BadInput(f"--data-dir is for TFDS data sets, not for {name}: leave it out, or give --data mnist, say")
    if name in BUILT_IN and split != "train":
        raise BadInput(
            f"{name} has no split {split!r}, it is all for training: give mnist, say, or a folder with splits"
        )
    if name in BUILT_IN and size is None:
        return BUILT_IN[name]()
    if _is_path(name) or (data_dir is None and path.exists()):
        if not path.exists():
            files = f"give a folder, an archive, a file of points ({', '.join(FILES)})"
            raise BadInput(f"{name} does not exist: {files}, {', '.join(BUILT_IN)}, or a TFDS name such as mnist")
        if size is None and name.lower().endswith(FILES):
            return points_source(path)
        return (folder_source if path.is_dir() else archive_source)(path, size, split)
    if size is not None:
        raise BadInput(f"{name} comes in its own size: --image-size is for folders and archives")
    return tfds_source(name, data_dir, split)


def _is_path(name: str) -> bool:
    """Whether a name cannot be TFDS's; those may hold one slash, as in `emnist/letters`."""
    return name.startswith(("/", ".", "~")) or name.count("/") > 1 or name.lower().endswith(("/", *ARCHIVES, *FILES))
