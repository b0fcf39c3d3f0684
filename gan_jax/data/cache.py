"""Decoded arrays on disk, so that a data set is downloaded, unpacked and decoded once.

An entry is a folder of `x.npy`, `y.npy` and `entry.json`. It is written beside its place and renamed into it, so that
an interrupted run leaves nothing that looks like an entry, and what does not look like one is written again.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gan_jax.data.source import Examples, Shape, Source, from_arrays
from gan_jax.errors import BadInput


class Decoded(NamedTuple):
    """A data set on its way into the cache: its description, and its examples in order."""

    size: int
    shape: Shape
    chunks: Iterable[Examples]
    classes: tuple[str, ...] = ()


def cache_folder() -> Path:
    """`GAN_JAX_CACHE`, or `~/.cache/gan_jax`."""
    return Path(os.environ.get("GAN_JAX_CACHE") or "~/.cache/gan_jax").expanduser().absolute()


def cached(name: str, key: Mapping[str, object], decode: Callable[[Path], Decoded]) -> Source:
    """The source called `name`, decoded now unless an entry with the same `key` holds it.

    `key` is everything that the arrays depend on, as JSON values. `decode` gets a scratch folder on the cache's disk,
    which is deleted when the arrays are written.
    """
    digest = sha256(json.dumps([name, key], sort_keys=True).encode()).hexdigest()[:16]
    entry = cache_folder() / "arrays" / f"{name.replace('/', '-').replace(':', '-')}-{digest}"
    if source := _find(entry, name):
        return source
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=entry.parent) as scratch:
            new = Path(scratch) / "entry"
            new.mkdir()
            _write(new, decode(Path(scratch)))
            if not _find(entry, name):  # unless another process was faster
                shutil.rmtree(entry, ignore_errors=True)
                new.rename(entry)
        return _open(entry, name)
    except OSError as error:
        where = f"the data cache {cache_folder()} cannot be written ({error})"
        raise BadInput(f"{where}: free some space or set GAN_JAX_CACHE to another folder") from error


def _find(entry: Path, name: str) -> Source | None:
    try:
        return _open(entry, name)
    except (OSError, ValueError, KeyError):  # not there, or torn
        return None


def _write(folder: Path, decoded: Decoded) -> None:
    if not decoded.size:
        raise BadInput("the data set is empty: choose another split or folder")
    x = np.lib.format.open_memmap(folder / "x.npy", "w+", np.uint8, (decoded.size, *decoded.shape))
    labels, at = [], 0
    for chunk in decoded.chunks:
        x[at : at + len(chunk["x"])] = chunk["x"]
        at += len(chunk["x"])
        labels += [chunk["y"]] if "y" in chunk else []
    x.flush()
    if labels:
        np.save(folder / "y.npy", np.concatenate(labels).astype(np.int32))
    about = {"size": at, "shape": decoded.shape, "classes": decoded.classes, "labels": bool(labels)}
    (folder / "entry.json").write_text(json.dumps(about))


def _open(folder: Path, name: str) -> Source:
    """The entry in `folder`; raises OSError, ValueError or KeyError where it is not whole."""
    about = json.loads((folder / "entry.json").read_text())
    x = np.load(folder / "x.npy", mmap_mode="r", allow_pickle=False)
    y = np.load(folder / "y.npy", mmap_mode="r", allow_pickle=False) if about["labels"] else None
    if x.shape != (about["size"], *about["shape"]):
        raise ValueError(f"{folder} holds {x.shape}")
    return from_arrays(name, x, y, tuple(about["classes"]))
