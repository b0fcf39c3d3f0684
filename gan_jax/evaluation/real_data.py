"""Opens the real images of an evaluation: a run's own data, a data set by its name, or files."""

import functools
import os
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from gan_jax.config.experiment import RunConfig
from gan_jax.data import Source, from_arrays, from_videos, open_source
from gan_jax.data.modality import LABEL, Leaf, audio, to_int16
from gan_jax.data.source import from_spec, indexed
from gan_jax.errors import BadInput
from gan_jax.evaluation.inputs import Reference
from gan_jax.runs.run_data import OpenSplit


def training_reference(common: RunConfig, opened: OpenSplit, split: str = "train") -> Reference:
    """Opens a split of a run's data by `opened(split)`; split `test` is held out."""
    source = opened(split)
    return Reference(source.split or split, source, lambda: opened("test"), common.image_size)


def open_reference(name: str, split: str, size: int | None, data_dir: Path | None) -> Reference:
    """Opens a split of a data set, folder or archive; split `test` is held out."""
    opened = partial(open_examples, name, data_dir, size=size)
    source = opened(split=split)
    return Reference(source.split or split, source, functools.cache(partial(opened, split="test")), size)


def open_examples(name: str, data_dir: Path | None = None, split: str = "train", size: int | None = None) -> Source:
    """Opens the samples of a .npz file, or whatever `open_source` knows by this name."""
    path = Path(os.path.expanduser(name))
    if data_dir or path.suffix != ".npz" or not path.is_file() or _holds_data(path):
        return open_source(name, data_dir, split, size)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            source = _samples(path.stem, dict(arrays))
    except BadInput:
        raise
    except Exception as error:  # NumPy, zip and zlib raise a dozen kinds
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise BadInput(f"{name} cannot be read as samples ({reason}): write it with gan-jax sample --out") from error
    if split != "train" or (size and source.shape[:2] != (size, size)):
        raise BadInput(f"{name} has no splits, and its samples have one size: leave --split and --image-size out")
    return source


def _samples(name: str, arrays: dict[str, np.ndarray]) -> Source:
    """Makes a source of samples as they are, with all their labels. Raises `KeyError` if there are none."""
    y = arrays.pop("labels", None)
    if "audio" in arrays:
        source = indexed(name, audio(int(arrays["rate"])), to_int16(arrays["audio"]), y)
    elif "video" in arrays:
        source = from_videos(name, arrays["video"], y)
    else:
        source = from_arrays(name, arrays[_made(list(arrays))], y)
    others = {key: array for key, array in arrays.items() if array.shape == (source.size,) and array.dtype.kind in "iu"}
    examples = source.read(np.arange(source.size)) | {key: array.astype(np.int32) for key, array in others.items()}
    return from_spec(name, {**source.spec, **dict.fromkeys(others, Leaf((), LABEL))}, examples)


def _made(names: list[str]) -> str:
    """Returns the name of the samples: `images`, or the one translation, as `fake_b`, of a game that makes several."""
    fakes = [name for name in names if name.startswith("fake_")]
    return fakes[0] if "images" not in names and len(fakes) == 1 else "images"


def _holds_data(path: Path) -> bool:
    """Tells files of data, whose images are `x`, from those of samples, whose images are `images`."""
    with suppress(Exception), np.load(path, allow_pickle=False) as arrays:
        return not {"x", "x_train", "x_test"}.isdisjoint(arrays.files)
    return False
