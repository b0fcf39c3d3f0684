"""Cache of decoded arrays on disk: every data set is downloaded, unpacked and decoded once.

An entry is a folder of one `.npy` file for every array, such as `x.npy` and `y.npy`, and of `entry.json`. It is written
to a temporary folder and then renamed, so an interrupted run leaves no partial entry. A damaged entry is written again.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gan_jax.data.modality import Spec, describe_spec, spec_from, spec_of
from gan_jax.data.source import Examples, Source, from_spec
from gan_jax.errors import BadInput


class Decoded(NamedTuple):
    """A decoded data set, to be written to the cache: its description, and its examples in order, in chunks."""

    spec: Spec
    chunks: Iterable[Examples]
    classes: tuple[str, ...] = ()
    report: str = ""
    split: str = ""
    attributes: tuple[str, ...] = ()


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
    files: dict[str, _Growing] = {}
    with ExitStack() as stack:
        for chunk in decoded.chunks:
            for name, array in chunk.items():
                if name not in files:
                    files[name] = stack.enter_context(closing(_Growing(folder / f"{name}.npy", array)))
                files[name].append(array)
    size = next(iter(files.values())).size if files else 0
    if not size:
        raise BadInput("the data set is empty: choose another split or folder")
    about = {"size": size, "spec": describe_spec(decoded.spec), "classes": decoded.classes}
    about |= {"report": decoded.report, "split": decoded.split, "attributes": decoded.attributes}
    (folder / "entry.json").write_text(json.dumps(about))


class _Growing:
    """A `.npy` file of which only the type and shape of an example are known: its length is written when it closes."""

    def __init__(self, path: Path, like: np.ndarray) -> None:
        self.size, self._shape, self._dtype = 0, like.shape[1:], like.dtype
        self._file = open(path, "wb")  # noqa: SIM115
        self._write_header()

    def _write_header(self) -> None:
        self._file.seek(0)
        about = {"descr": self._dtype.str, "fortran_order": False, "shape": (self.size, *self._shape)}
        np.lib.format.write_array_header_1_0(self._file, about)  # leaves room for a length of 21 digits

    def append(self, examples: np.ndarray) -> None:
        if examples.shape[1:] != self._shape or examples.dtype != self._dtype:
            raise ValueError(f"{examples.dtype}{examples.shape} among {self._dtype}{self._shape}")
        self._file.write(np.ascontiguousarray(examples).data)
        self.size += len(examples)

    def close(self) -> None:
        self._write_header()
        self._file.close()


def _open(folder: Path, name: str) -> Source:
    """Opens the entry in `folder`; raises OSError, ValueError or KeyError if it is damaged."""
    about = json.loads((folder / "entry.json").read_text())
    # Entries of earlier versions have the shape of their images only, and some no report, split or attributes.
    spec = spec_from(about["spec"]) if "spec" in about else spec_of(tuple(about["shape"]), about["labels"])
    arrays = {each: np.load(folder / f"{each}.npy", mmap_mode="r", allow_pickle=False) for each in spec}
    for each, leaf in spec.items():
        if arrays[each].shape != (about["size"], *leaf.modality.stored_shape(leaf.shape)):
            raise ValueError(f"{folder} holds {each} of {arrays[each].shape}")
    source = from_spec(name, spec, arrays, tuple(about["classes"]))
    about = {"report": "", "split": "", "attributes": ()} | about
    return source._replace(report=about["report"], split=about["split"], attributes=tuple(about["attributes"]))
