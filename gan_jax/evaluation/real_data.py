"""Where real images come from: the data of a run, a data set by its name, files."""

import functools
from functools import partial
from pathlib import Path

import numpy as np

from gan_jax.config.experiment import RunConfig
from gan_jax.data import Source, from_arrays, open_source
from gan_jax.errors import BadInput
from gan_jax.evaluation.inputs import Reference


def of_training(common: RunConfig, split: str = "train", source: Source | None = None) -> Reference:
    """A split of the data of a run, which may be open already; held out is its split `test`."""
    opened = partial(open_source, common.data, common.data_dir, size=common.image_size)
    return Reference(
        split, source or opened(split=split), functools.cache(partial(opened, split="test")), common.image_size
    )


def real(name: str, split: str, size: int | None, data_dir: Path | None) -> Reference:
    """A split of a data set, or of a folder or archive of images, by its name; held out is its split `test`."""
    opened = partial(open_images, name, data_dir, size=size)
    return Reference(split, opened(split=split), functools.cache(partial(opened, split="test")), size)


def open_images(name: str, data_dir: Path | None = None, split: str = "train", size: int | None = None) -> Source:
    """What `open_source` knows by this name, or the images of a .npz file."""
    if data_dir or not name.endswith(".npz"):
        return open_source(name, data_dir, split, size)
    if split != "train" or size:
        raise BadInput(f"{name} has no splits, and its images have one size: leave --split and --image-size out")
    path = Path(name).expanduser()
    try:
        with np.load(path, allow_pickle=False) as arrays:
            images, labels = arrays["images"], arrays.get("labels")
    except Exception as error:  # NumPy, zip and zlib raise a dozen kinds
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise BadInput(f"{name} cannot be read as images ({reason}): write it with gan-jax sample --out") from error
    return from_arrays(path.stem, images, labels)
