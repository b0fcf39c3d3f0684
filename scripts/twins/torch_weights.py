"""Copies the weights of a game's networks into their twins in PyTorch."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from twins.torch_nets import Discriminator, Generator

Arrays = Mapping[str, np.ndarray]
"""Arrays of a network by their path: `Dense_0/kernel`."""

KINDS = {
    nn.Linear: "Dense",
    nn.Conv2d: "Conv",
    nn.ConvTranspose2d: "ConvTranspose",
    nn.BatchNorm1d: "BatchNorm",
    nn.BatchNorm2d: "BatchNorm",
}


@torch.no_grad()
def load(net: nn.Module, arrays: Arrays) -> None:
    """Copies every parameter, and the vectors of spectral norm."""
    counts: Counter[str] = Counter()
    for layer in net.modules():
        kind = next((name for module, name in KINDS.items() if isinstance(layer, module)), None)
        if kind is None:
            continue
        name = f"{kind}_{counts[kind]}"
        counts[kind] += 1
        weight, bias = layer.weight, arrays[f"{name}/bias"]
        if kind == "BatchNorm":
            value = arrays[f"{name}/scale"]
        elif kind == "Dense":
            value, bias = _dense(net, arrays[f"{name}/kernel"], bias)
        else:
            value = _kernel(kind, arrays[f"{name}/kernel"])
        if hasattr(layer, "parametrizations"):
            [(norm, weight)] = [(p[0], p.original) for p in [layer.parametrizations.weight]]
            [u] = [array for path, array in arrays.items() if path.endswith(f"{name}/kernel/u")]
            norm.u.copy_(_tensor(u[0]))
        weight.copy_(_tensor(value))
        layer.bias.copy_(_tensor(bias))


def images(x: np.ndarray, turned: bool) -> torch.Tensor:
    """Makes a discriminator's input of images `[B, H, W, C]`: NCHW, and `turned` for convolutional ones."""
    return _tensor((x[:, ::-1, ::-1] if turned else x).transpose(0, 3, 1, 2))


def _kernel(kind: str, kernel: np.ndarray) -> np.ndarray:
    """Orders the axes of a kernel `[k, k, in, out]`, and turns it as the images are.

    PyTorch turns the kernels of transposed convolutions once more.
    """
    return kernel[::-1, ::-1].transpose(3, 2, 0, 1) if kind == "Conv" else kernel.transpose(2, 3, 0, 1)


def _dense(net: nn.Module, kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orders the units of the layers that border on images as those of turned images."""
    if isinstance(net, Generator):  # its one dense layer makes images [base, base, C]
        turned = np.vstack([kernel, bias]).reshape(-1, net.base, net.base, kernel.shape[1] // net.base**2)
        turned = turned[:, ::-1, ::-1].reshape(-1, kernel.shape[1])
        kernel, bias = turned[:-1], turned[-1]
    if isinstance(net, Discriminator):  # its one dense layer scores images [side, side, C], here [C, side, side]
        channels = net.layers[-1].out_channels
        side = round((len(kernel) // channels) ** 0.5)
        kernel = kernel.reshape(side, side, channels)[::-1, ::-1].transpose(2, 0, 1).reshape(-1, 1)
    return kernel.T, bias


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))
