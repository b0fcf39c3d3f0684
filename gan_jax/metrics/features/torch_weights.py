"""Reads published PyTorch weights without executing code from the file, and converts them to flax variables."""

import hashlib
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import NamedTuple
from zipfile import is_zipfile

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree
from safetensors import deserialize

from gan_jax.errors import BadInput

Tensors = dict[str, np.ndarray]
"""A PyTorch state dict: tensors by name, in PyTorch's layout."""


class Weights(NamedTuple):
    """The tensors of a file, with its path and sha256."""

    path: Path
    sha256: str
    tensors: Tensors


def read(path: Path, sha256: str | None = None) -> Weights:
    """Reads the tensors of a `.safetensors` or `.npz` file or, with PyTorch installed, of a `.pth` or `.pt` file.

    Raises:
        BadInput: the file cannot be read or is damaged, it pickles other objects than tensors, or its sha256 does not
            begin with `sha256`.
    """
    if path.suffix.lower() not in READERS:
        raise BadInput(f"{path} has an unsupported suffix: choose one of {', '.join(READERS)}")
    if sha256 is not None and not re.fullmatch("[0-9a-f]{8,64}", sha256.lower()):
        raise BadInput(f"sha256 {sha256!r} is not 8 to 64 hexadecimal digits: give all or the first digits")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}): give the path of a readable file") from None
    found = hashlib.sha256(data).hexdigest()
    if sha256 is not None and not found.startswith(sha256.lower()):
        raise BadInput(f"{path} has the sha256 {found}, not {sha256}: download it again")
    try:
        return Weights(path, found, READERS[path.suffix.lower()](data))
    except BadInput:
        raise
    except Exception as error:  # damaged files raise many types
        reason = " ".join(str(error).split())[:200]
        raise BadInput(f"{path} holds no readable weights ({reason}): download it again") from error


def params(weights: Weights, shapes: PyTree[jax.ShapeDtypeStruct]) -> PyTree[np.ndarray]:
    """Converts PyTorch tensors to the float32 variables of a flax network with the same module names.

    Args:
        weights: the tensors; all are used, except `UNUSED`.
        shapes: the shapes of the flax variables.

    Raises:
        BadInput: a tensor is missing or unknown, has another shape or type, or is not finite.
    """
    expected = set()

    def take(path: tuple[jax.tree_util.DictKey, ...], shape: jax.ShapeDtypeStruct) -> np.ndarray:
        _, *modules, variable = (key.key for key in path)
        name = ".".join([*modules, TORCH[variable]])
        expected.add(name)
        if variable != "kernel":
            return _checked(weights, name, shape.shape)
        *space, inputs, outputs = shape.shape
        return np.moveaxis(_checked(weights, name, (outputs, inputs, *space)), (0, 1), (-1, -2))

    variables = jax.tree_util.tree_map_with_path(take, shapes)
    for name in weights.tensors:
        if name not in expected and not name.endswith(UNUSED):
            raise BadInput(f"{weights.path}: unknown tensor {name}: give the weights of this network")
    return variables


TORCH = {"kernel": "weight", "scale": "weight", "bias": "bias", "mean": "running_mean", "var": "running_var"}
"""Names of flax variables to names in a state dict."""

UNUSED = (".num_batches_tracked", "fc.bias")
"""Suffixes of ignored tensors: batch norm's step count, and the bias that the inception score omits."""


def _checked(weights: Weights, name: str, shape: tuple[int, ...]) -> np.ndarray:
    tensor = weights.tensors.get(name)
    if tensor is None:
        raise BadInput(f"{weights.path}: tensor {name} is missing: give the weights of this network")
    if tensor.shape != shape or not jnp.issubdtype(tensor.dtype, jnp.floating):
        is_not = f"is {tensor.dtype} {list(tensor.shape)}, not floats {list(shape)}"
        raise BadInput(f"{weights.path}: tensor {name} {is_not}: give the weights of this network")
    with np.errstate(over="ignore"):  # overflow gives inf, which is an error below
        tensor = tensor.astype(np.float32)
    if not np.isfinite(tensor).all():
        raise BadInput(f"{weights.path}: tensor {name} has values that are not finite in float32: download it again")
    return tensor


def _safetensors(data: bytes) -> Tensors:
    return {name: _array(name, **entry) for name, entry in deserialize(data)}


def _array(name: str, dtype: str, shape: list[int], data: bytearray) -> np.ndarray:
    if dtype not in SAFETENSORS:
        raise ValueError(f"tensor {name} is of type {dtype}, not one of {', '.join(SAFETENSORS)}")
    return np.frombuffer(data, SAFETENSORS[dtype]).reshape(shape)


SAFETENSORS = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": jnp.bfloat16, "I64": np.int64}
"""NumPy types; `safetensors.numpy.load` cannot read bfloat16."""


def _npz(data: bytes) -> Tensors:
    if not is_zipfile(BytesIO(data)):
        raise ValueError("not a zip file")
    tensors = {}
    with np.load(BytesIO(data), allow_pickle=False) as file:
        for name in file.files:
            try:
                tensors[name] = np.asarray(file[name])
            except Exception as error:
                raise ValueError(f"tensor {name}: {error}") from error
    return tensors


def _torch(data: bytes) -> Tensors:
    try:
        import torch
    except ImportError:
        raise BadInput("PyTorch is needed to read .pth and .pt: install torch, or convert to .safetensors") from None
    try:
        state = torch.load(BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # its message recommends weights_only=False, which executes code
        raise ValueError("damaged, or a pickle of other objects than tensors") from error
    if not isinstance(state, dict):
        raise ValueError(f"it is a {type(state).__name__}, not a state dict")
    for name, tensor in state.items():
        if not isinstance(tensor, torch.Tensor):
            raise ValueError(f"{name} is a {type(tensor).__name__}, not a tensor")
    state = {str(name): tensor.detach() for name, tensor in state.items()}
    # NumPy has no bfloat16.
    return {name: (x.float() if x.is_floating_point() else x).numpy() for name, x in state.items()}


READERS: dict[str, Callable[[bytes], Tensors]] = {
    ".safetensors": _safetensors,
    ".npz": _npz,
    ".pth": _torch,
    ".pt": _torch,
}
