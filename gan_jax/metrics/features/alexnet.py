"""AlexNet's convolutions, as in torchvision, and the mean of the last as a feature network.

Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks", https://arxiv.org/abs/1404.5997.
"""

import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Float

from gan_jax.errors import BadInput
from gan_jax.metrics.features.imagenet import ImagenetWeights, Layers, normalized
from gan_jax.metrics.features.network import FeatureNet, Pixels
from gan_jax.nets.layers.convolution import LAYOUT

NAME = "alexnet-conv5"

LEAST = 31
"""The smallest side in pixels that leaves one value after the second pooling."""

RESIZE = "none; gray repeated to 3 channels; (x / 127.5 - 1 - shift) / scale of ImageNet; mean of relu5 over positions"

CONVOLUTIONS = {"conv1": (4, 2), "conv2": (1, 2), "conv3": (1, 1), "conv4": (1, 1), "conv5": (1, 1)}
"""Stride and padding; `conv2` and `conv3` follow a max pooling of 3 x 3 with stride 2."""


def alexnet_features(layers: Layers, x: Float[Array, "B H W C"]) -> tuple[Float[Array, "B _ _ _"], ...]:
    """Computes the five maps after ReLU of images in [-1, 1]: 64, 192, 384, 256 and 256 channels.

    Raises:
        BadInput: images are smaller than 31 pixels a side, or have other than 1 or 3 channels.
    """
    if min(x.shape[1:3]) < LEAST:
        size = f"{x.shape[1]}x{x.shape[2]}"
        raise BadInput(f"AlexNet takes images of at least {LEAST} pixels a side, not {size}: give larger images")
    x, maps = normalized(x), []
    for name, (stride, padding) in CONVOLUTIONS.items():
        if name in ("conv2", "conv3"):
            x = nn.max_pool(x, (3, 3), (2, 2))
        pads = [(padding, padding)] * 2
        x = lax.conv_general_dilated(x, layers[name]["kernel"], (stride, stride), pads, dimension_numbers=LAYOUT)
        x = nn.relu(x + layers[name]["bias"].reshape(1, 1, 1, -1))
        maps.append(x)
    return tuple(maps)


def alexnet_conv5(weights: ImagenetWeights) -> FeatureNet:
    """Makes the feature network `alexnet-conv5`: 256 means of the last map, of images of any size from 31 pixels.

    Images are not resized, so features depend on their size: compare images of one size.
    """
    return FeatureNet(NAME, weights.sha256, RESIZE, weights.alexnet, _pooled)


def _pooled(layers: Layers, pixels: Pixels) -> Float[Array, "B D"]:
    return jnp.mean(alexnet_features(layers, pixels / 127.5 - 1)[-1], axis=(1, 2))
