"""Learned perceptual image patch similarity, LPIPS-Alex, version 0.1.

Zhang et al. 2018, "The unreasonable effectiveness of deep features as a perceptual metric", eq. 1,
https://arxiv.org/abs/1801.03924.
"""

from collections.abc import Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float

from gan_jax.metrics.features.alexnet import alexnet_features
from gan_jax.metrics.features.imagenet import Layers


def lpips(
    alexnet: Layers, heads: Sequence[Float[Array, " _"]], x: Float[Array, "B H W C"], target: Float[Array, "B H W C"]
) -> Float[Array, " B"]:
    """Computes d(x, y) = sum over layers of the mean over positions of w . (f(x) / |f(x)| - f(y) / |f(y)|)^2.

    0 for equal images. Distances depend on the size of the images: compare images at one size.

    Args:
        alexnet: `ImagenetWeights.alexnet`.
        heads: `ImagenetWeights.heads`, the w of every layer.
        x: images in [-1, 1], at least 31 pixels a side; gray is repeated over three channels.
        target: images of the same shape.

    Raises:
        BadInput: images are smaller than 31 pixels a side, or have other than 1 or 3 channels.
    """
    maps = (alexnet_features(alexnet, each) for each in (x, target))
    distances = [jnp.mean((_unit(a) - _unit(b)) ** 2 @ w, axis=(1, 2)) for a, b, w in zip(*maps, heads, strict=True)]
    return sum(distances[1:], distances[0])


def _unit(features: Float[Array, "B H W C"]) -> Float[Array, "B H W C"]:
    """Divides by the length over channels; zeros stay zeros."""
    return features / (jnp.sqrt(jnp.sum(features**2, axis=3, keepdims=True)) + 1e-10)
