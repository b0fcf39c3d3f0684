"""Data: a batch is a pure function of (seed, step).

`open_source` finds the images, `order.indices` says which are dealt when, and a pipeline (`device_resident`, `tf_data`)
turns that into batches. Nothing heavy is imported until it is used.
"""

import os
from pathlib import Path

from gan_jax.data.embedded import mnist5k
from gan_jax.data.files import ARCHIVES
from gan_jax.data.folder import archive_source, folder_source
from gan_jax.data.pipeline import Pipeline, device_resident
from gan_jax.data.source import Source, from_arrays
from gan_jax.data.tf_pipeline import tf_data
from gan_jax.data.tfds import tfds_source
from gan_jax.errors import BadInput

__all__ = [
    "Pipeline",
    "Source",
    "archive_source",
    "device_resident",
    "folder_source",
    "from_arrays",
    "mnist5k",
    "open_source",
    "tf_data",
    "tfds_source",
]


def open_source(name: str, data_dir: str | Path | None = None, split: str = "train", size: int | None = None) -> Source:
    """The data set that a name stands for: `mnist5k`, a folder or an archive by its path, or a TFDS name.

    `data_dir` is a folder with the original archives of a TFDS data set, to be used instead of a download; with it,
    a bare name is always TFDS's. `size` is what the images of a folder or archive are resized to.
    """
    path = Path(os.path.expanduser(name))
    if data_dir is not None and (name == "mnist5k" or _is_path(name)):
        raise BadInput(f"--data-dir is for TFDS data sets, not for {name}: leave it out, or give --data mnist, say")
    if name == "mnist5k" and size is None:
        return mnist5k()
    if _is_path(name) or (data_dir is None and path.exists()):
        if not path.exists():
            raise BadInput(f"{name} does not exist: give a folder, an archive, mnist5k, or a TFDS name such as mnist")
        return (folder_source if path.is_dir() else archive_source)(path, size, split)
    if size is not None:
        raise BadInput(f"{name} has images of its own size: --image-size is for folders and archives")
    return tfds_source(name, data_dir, split)


def _is_path(name: str) -> bool:
    """Whether a name cannot be TFDS's; those may hold one slash, as in `emnist/letters`."""
    return name.startswith(("/", ".", "~")) or name.count("/") > 1 or name.lower().endswith(("/", *ARCHIVES))
