"""Opens the real images of an evaluation: a run's own data, a data set by its name, or files."""

import functools
import os
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from gan_jax.config.experiment import RunConfig
from gan_jax.data import Source, from_arrays, open_source
from gan_jax.errors import BadInput
from gan_jax.evaluation.inputs import Reference
from gan_jax.runs.run_data import OpenSplit


def training_reference(common: RunConfig, opened: OpenSplit, split: str = "train") -> Reference:
    """Opens a split of a run's data by `opened(split)`; split `test` is held out."""
    source = opened(split)
    return Reference(source.split or split, source, lambda: opened("test"), common.image_size)


def open_reference(name: str, split: str, size: int | None, data_dir: Path | None) -> Reference:
    """Opens a split of a data set, folder or archive of images; split `test` is held out."""
    opened = partial(open_images, name, data_dir, size=size)
    source = opened(split=split)
    return Reference(source.split or split, source, functools.cache(partial(opened, split="test")), size)


def open_images(name: str, data_dir: Path | None = None, split: str = "train", size: int | None = None) -> Source:
    """Opens the samples of a .npz file, or whatever `open_source` knows by this name."""
    if data_dir or not name.endswith(".npz") or _holds_data(name):
        return open_source(name, data_dir, split, size)
    path = Path(os.path.expanduser(name))
    try:
        with np.load(path, allow_pickle=False) as arrays:
            images, labels = arrays[_made(arrays.files)], arrays.get("labels")
    except Exception as error:  # NumPy, zip and zlib raise a dozen kinds
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise BadInput(f"{name} cannot be read as images ({reason}): write it with gan-jax sample --out") from error
    if split != "train" or (size and images.shape[1:3] != (size, size)):
        raise BadInput(f"{name} has no splits, and its images have one size: leave --split and --image-size out")
    return from_arrays(path.stem, images, labels)


def _made(names: list[str]) -> str:
    """Returns the name of the samples: `images`, or the one translation, as `fake_b`, of a game that makes several."""
    fakes = [name for name in names if name.startswith("fake_")]
    return fakes[0] if "images" not in names and len(fakes) == 1 else "images"


def _holds_data(name: str) -> bool:
    """Tells files of data, whose images are `x`, from those of samples, whose images are `images`."""
    with suppress(Exception), np.load(os.path.expanduser(name), allow_pickle=False) as arrays:
        return not {"x", "x_train", "x_test"}.isdisjoint(arrays.files)
    return False
