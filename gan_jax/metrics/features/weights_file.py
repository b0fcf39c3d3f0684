"""Files of frozen networks of our own: an uncompressed `.npz` of parameters by name, and of what describes them."""

import io
from collections.abc import Mapping
from hashlib import sha256 as digest
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from gan_jax.errors import BadInput

Params = PyTree[Array]


class WeightsFile(NamedTuple):
    """The contents of a file."""

    path: Path
    sha256: str
    name: str
    classes: tuple[str, ...]
    about: dict[str, np.ndarray]
    """Further members that describe the network, such as the shape of its examples."""
    arrays: dict[str, np.ndarray]
    """Parameters by the names of their layer and their own, as in `dense/kernel`."""


def read(path: str | Path, script: str, sha256: str | None = None) -> WeightsFile:
    """Reads a file written by `write`.

    Args:
        path: the file.
        script: the program that writes such files, for error messages.
        sha256: the expected sha256 of the file; None skips the check.

    Raises:
        BadInput: the file cannot be read, has another sha256, or holds no such members.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}): give a file of feature weights") from error
    found = digest(data).hexdigest()
    if sha256 not in (None, found):
        raise BadInput(f"{path} has the sha256 {found}, not {sha256}: download it again")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            members = {name: file[name] for name in file.files}
        name, classes = str(members.pop("name")), tuple(map(str, members.pop("classes")))
    except Exception as error:  # NumPy and zipfile raise many types for a damaged archive
        raise BadInput(f"{path} holds no feature weights: write it with scripts/{script}.py") from error
    arrays = {each: members.pop(each) for each in list(members) if "/" in each}
    return WeightsFile(path, found, name, classes, members, arrays)


def write(
    path: str | Path, name: str, classes: tuple[str, ...], params: Params, about: Mapping[str, np.ndarray]
) -> str:
    """Writes an uncompressed `.npz` and returns the sha256 of the file.

    The bytes depend on the arguments only: NumPy dates all members of an archive 1980.
    """
    file = io.BytesIO()
    np.savez(file, name=np.array(name), classes=np.array(classes), **about, **_by_name(params))
    Path(path).write_bytes(file.getvalue())
    return digest(file.getvalue()).hexdigest()


def params_of(file: WeightsFile, expected: PyTree, script: str) -> Params:
    """Nests the parameters of a file by layer.

    Raises:
        BadInput: names, shapes or types differ from `expected`, which needs no values, as `jax.eval_shape` makes it.
    """
    outline = {name: (leaf.shape, np.dtype(leaf.dtype)) for name, leaf in _leaves(expected)}
    if {name: (array.shape, array.dtype) for name, array in file.arrays.items()} != outline:
        raise BadInput(f"{file.path} holds another network: write it with scripts/{script}.py of this version")
    return jax.tree.map_with_path(lambda path, _: jnp.asarray(file.arrays[_name(path)]), expected)


def _by_name(params: Params) -> dict[str, np.ndarray]:
    return {name: np.asarray(leaf) for name, leaf in _leaves(params)}


def _leaves(params: PyTree) -> list[tuple[str, Any]]:
    return [(_name(path), leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(params)]


def _name(path: tuple) -> str:
    return jax.tree_util.keystr(path, simple=True, separator="/")
