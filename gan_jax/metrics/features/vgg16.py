"""VGG16's first seven convolutions, as in torchvision: features for perceptual losses.

Simonyan and Zisserman 2015, "Very deep convolutional networks", https://arxiv.org/abs/1409.1556; as a loss Johnson et
al. 2016, "Perceptual losses for real-time style transfer and super-resolution", https://arxiv.org/abs/1603.08155.
"""

from functools import cache
from pathlib import Path

from flax import linen as nn
from jaxtyping import Array, Float

from gan_jax.engine.game import Frozen
from gan_jax.metrics.features import imagenet
from gan_jax.metrics.features.imagenet import Layers, normalized
from gan_jax.nets.layers.convolution import conv

BLOCKS = {
    "relu1_2": ("conv1_1", "conv1_2"),
    "relu2_2": ("conv2_1", "conv2_2"),
    "relu3_3": ("conv3_1", "conv3_2", "conv3_3"),
}


def vgg16_features(variables: Layers, x: Float[Array, "B H W C"]) -> dict[str, Float[Array, "B _ _ _"]]:
    """Computes the maps `relu1_2`, `relu2_2` and `relu3_3`, at 1, 1/2 and 1/4 of the size: the last of each block.

    Args:
        variables: `ImagenetWeights.vgg16`.
        x: images in [-1, 1] with 1 or 3 channels, at least 4 pixels a side.

    Raises:
        BadInput: images have other than 1 or 3 channels.
    """
    x, maps = normalized(x), {}
    for name, layers in BLOCKS.items():
        x = _halved(x) if maps else x
        for layer in layers:
            x = nn.relu(conv(x, variables[layer]["kernel"]) + variables[layer]["bias"].reshape(1, 1, 1, -1))
        maps[name] = x
    return maps


def frozen(weights: Path, layer: str = "relu3_3") -> Frozen:
    """Makes the network of a perceptual loss from a file of `imagenet.load`: images in [-1, 1] to the maps of `layer`.

    The file is read when a step is made.
    """
    read = cache(lambda: imagenet.load(weights).vgg16)
    return Frozen(lambda variables, x: vgg16_features(variables, x)[layer], read)


def _halved(x: Float[Array, "B H W C"]) -> Float[Array, "B h w C"]:
    """Max pooling, 2 x 2 with stride 2; drops the last row or column if their number is odd.

    Its gradient is faster on a CPU than that of `nn.max_pool`.
    """
    b, height, width, c = x.shape
    return x[:, : height // 2 * 2, : width // 2 * 2].reshape(b, height // 2, 2, width // 2, 2, c).max((2, 4))
