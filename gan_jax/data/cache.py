"""Cache of decoded arrays on disk: every data set is downloaded, unpacked and decoded once.

An entry is a folder of `x.npy`, `y.npy` and `entry.json`. It is written to a temporary folder and then renamed, so an
interrupted run leaves no partial entry. A damaged entry is written again.
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

from gan_jax.data.modality import Shape
from gan_jax.data.source import Examples, Source, from_arrays
from gan_jax.errors import BadInput


class Decoded(NamedTuple):
    """A decoded data set, to be written to the cache: its description, and its examples in order, in chunks."""

    size: int
    shape: Shape
    chunks: Iterable[Examples]
    classes: tuple[str, ...] = ()
    report: str = ""
    split: str = ""


def cache_folder() -> Path:
    """Returns `$GAN_JAX_CACHE`, or `~/.cache/gan_jax`. Raises `BadInput` if the user has no home."""
    try:
        return Path(os.environ.get("GAN_JAX_CACHE") or "~/.cache/gan_jax").expanduser().absolute()
    except RuntimeError:
        raise BadInput("there is no home folder for the data cache: set GAN_JAX_CACHE to a folder") from None


def cached(name: str, key: Mapping[str, object], decode: Callable[[Path], Decoded]) -> Source:
    """Opens the cached source `name`; decodes it first if there is no entry with this `key`.

    Args:
        name: of the source.
        key: all that the arrays depend on, as JSON values.
        decode: called with a scratch folder on the cache's disk, which is deleted once the arrays are written.

    Raises:
        BadInput: the data set is empty, or the cache cannot be written.
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
        what = f"the data cache {cache_folder()} cannot be written ({error})"
        raise BadInput(f"{what}: free some space or set GAN_JAX_CACHE to another folder") from error


def _find(entry: Path, name: str) -> Source | None:
    try:
        return _open(entry, name)
    except (OSError, ValueError, KeyError):  # missing or damaged
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
    about |= {"report": decoded.report, "split": decoded.split}
    (folder / "entry.json").write_text(json.dumps(about))


def _open(folder: Path, name: str) -> Source:
    """Opens the entry in `folder`; raises OSError, ValueError or KeyError if it is damaged."""
    about = json.loads((folder / "entry.json").read_text())
    x = np.load(folder / "x.npy", mmap_mode="r", allow_pickle=False)
    y = np.load(folder / "y.npy", mmap_mode="r", allow_pickle=False) if about["labels"] else None
    if x.shape != (about["size"], *about["shape"]):
        raise ValueError(f"{folder} holds {x.shape}")
    source = from_arrays(name, x, y, tuple(about["classes"]))
    # Both are missing in entries of earlier versions.
    return source._replace(report=about.get("report", ""), split=about.get("split", ""))
