"""Patches of images, for Fréchet distances between images of different sizes, or of their texture."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float, UInt8

from gan_jax.errors import BadInput
from gan_jax.metrics.features.network import FeatureNet, Images, extract


def patches(images: Images, size: int, stride: int) -> UInt8[np.ndarray, "P size size C"]:
    """Cuts images into patches of `size` pixels a side, `stride` pixels apart; drops the rest at the ends.

    Raises:
        BadInput: images are smaller than a patch.
    """
    height, width, channels = images.shape[1:]
    if min(height, width) < size:
        raise BadInput(f"images of {height}x{width} are smaller than patches of {size}x{size}: leave them out")
    windows = np.lib.stride_tricks.sliding_window_view(images, (size, size), axis=(1, 2))[:, ::stride, ::stride]
    return np.moveaxis(windows, 3, 5).reshape(-1, size, size, channels)


def patch_features(
    net: FeatureNet, images: Iterable[UInt8[np.ndarray, "_ _ _ _"]], size: int, stride: int
) -> Float[np.ndarray, "P D"]:
    """Computes the features of all patches of images, which may come in batches `[N, H, W, C]` of different sizes.

    Raises:
        BadInput: as `patches`.
    """
    return np.concatenate([extract(net, patches(each, size, stride)).features for each in images])
