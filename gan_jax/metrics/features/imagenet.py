"""AlexNet and VGG16 convolutions trained on ImageNet, and the linear heads of LPIPS-Alex, from one file.

The weights are not ours to ship, so users name the file, which `scripts/lpips_weights.py` makes. It is a `.npz` without
pickles, with the arrays `alex/conv1/kernel` to `alex/conv5/bias`, `alex/lin0` to `alex/lin4`, and
`vgg16/conv1_1/kernel` to `vgg16/conv3_3/bias`: the kernels of torchvision `[k, k, in, out]` in float16, and the heads
of LPIPS 0.1 in float32.

Krizhevsky et al. 2012, "ImageNet classification with deep convolutional neural networks"; Simonyan and Zisserman 2015,
"Very deep convolutional networks", https://arxiv.org/abs/1409.1556; Zhang et al. 2018, "The unreasonable effectiveness
of deep features as a perceptual metric", https://arxiv.org/abs/1801.03924.
"""

from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from gan_jax.errors import BadInput
from gan_jax.metrics.features import torch_weights

SHA256 = "62eebc09d7b5c27bc1f6bd7f986114bee0733ecf7ebd02d251bb54470869bc32"
"""The sha256 of the file: other weights would give other scores under the same name."""

ALEXNET = {"conv1": (11, 3, 64), "conv2": (5, 64, 192), "conv3": (3, 192, 384), "conv4": (3, 384, 256)}
ALEXNET["conv5"] = (3, 256, 256)

VGG16 = {"conv1_1": (3, 3, 64), "conv1_2": (3, 64, 64), "conv2_1": (3, 64, 128), "conv2_2": (3, 128, 128)}
VGG16 |= {"conv3_1": (3, 128, 256), "conv3_2": (3, 256, 256), "conv3_3": (3, 256, 256)}
"""Kernel size, input and output channels of every layer."""

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""Mean and deviation of the channels of ImageNet, for images in [-1, 1]."""

Layers = dict[str, dict[str, Array]]
"""`kernel` `[k, k, in, out]` and `bias` `[out]` of every convolution, by name."""


class ImagenetWeights(NamedTuple):
    """The arrays of a file, in float32, and its sha256."""

    alexnet: Layers
    heads: tuple[Array, ...]
    """The non-negative weights of LPIPS for the channels of AlexNet's five layers."""
    vgg16: Layers
    """Up to conv3_3."""
    sha256: str


def load(path: str | Path, sha256: str | None = SHA256) -> ImagenetWeights:
    """Reads the weights, and converts them to float32.

    Args:
        path: the `.npz` file.
        sha256: the expected sha256 of the file; None skips the check.

    Raises:
        BadInput: the file cannot be read, has another sha256, or lacks an array.
    """
    weights = torch_weights.read(Path(path), sha256)

    def take(name: str, *shape: int) -> Array:
        found = weights.tensors.get(name)
        if found is None or found.shape != shape or found.dtype.kind != "f":
            what = "is missing" if found is None else f"is {found.dtype} {list(found.shape)}, not floats {list(shape)}"
            raise BadInput(f"{path}: array {name} {what}: make the file with scripts/lpips_weights.py")
        return jnp.asarray(found.astype(np.float32))

    def layers(net: str, sizes: dict[str, tuple[int, int, int]]) -> Layers:
        return {
            name: {"kernel": take(f"{net}/{name}/kernel", k, k, c_in, c_out), "bias": take(f"{net}/{name}/bias", c_out)}
            for name, (k, c_in, c_out) in sizes.items()
        }

    heads = tuple(take(f"alex/lin{i}", channels) for i, (_, _, channels) in enumerate(ALEXNET.values()))
    return ImagenetWeights(layers("alex", ALEXNET), heads, layers("vgg16", VGG16), weights.sha256)


def normalized(x: Float[Array, "B H W C"]) -> Float[Array, "B H W 3"]:
    """Repeats gray over three channels, and scales images in [-1, 1] to mean 0 and deviation 1 on ImageNet.

    Raises:
        BadInput: images have other than 1 or 3 channels.
    """
    if x.shape[3] not in (1, 3):
        raise BadInput(f"networks of ImageNet take images [N, H, W, 3] or [N, H, W, 1], not {list(x.shape)}: convert")
    shift, scale = (jnp.asarray(each, x.dtype).reshape(1, 1, 1, 3) for each in (SHIFT, SCALE))
    return (x - shift) / scale
