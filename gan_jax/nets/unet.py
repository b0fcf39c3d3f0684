"""The U-Net of pix2pix, and both of its networks (`pair`).

Isola et al. 2017, "Image-to-image translation with conditional adversarial networks", sec. 6.1
(https://arxiv.org/abs/1611.07004): an encoder and a decoder whose layers of equal size are joined. Kernels are 4 x 4 of
stride 2, drawn from N(0, 0.02^2).

The paper has batch norm and batches of one image, which is instance norm in training, and the statistics of one image
at test time too. With running averages instead, pictures turn out dark or blurred. So the default is instance norm.
"""

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.errors import BadInput
from gan_jax.nets.layers.convolution import Conv, ConvTranspose, Images
from gan_jax.nets.layers.dropout import Dropout
from gan_jax.nets.layers.normalization import Norm, normalize
from gan_jax.nets.pair import Pair, unsupported
from gan_jax.nets.patchgan import Discriminator

INITIAL = nn.initializers.normal(0.02)


class Generator(nn.Module):
    """Images or one-hot label maps `[B, H, W, C]` to images `[B, H, W, channels]` in [-1, 1].

    The encoder halves the size `levels` times, with `width`, 2 `width`, 4 `width` and then 8 `width` maps, the decoder
    mirrors it. Norm in all layers but the first, the innermost and the last; dropout in the first three of the decoder;
    with `skips`, every layer of the decoder takes the map of the encoder of its size too. Halves round up: every size
    whose longer side exceeds 2^(levels - 1) pixels is supported. (Below, instance norm would see single pixels.)

    The network has no latent: dropout is its only noise, in training and when sampling.
    """

    channels: int = 3
    levels: int = 8
    width: int = 64
    skips: bool = True
    dropout: float = 0.5
    norm: Norm = "instance"
    dtype: DTypeLike | None = None
    kernel_init: nn.initializers.Initializer = INITIAL

    @nn.compact
    def __call__(self, x: Images, keys: Keys | None = None) -> Float[Array, "B H W channels"]:
        """Translates images; `keys` draw the dropout, without keys there is none.

        Raises:
            BadInput: the images are too small for the levels.
        """
        least = 2 ** (self.levels - 1)
        if max(x.shape[1:3]) <= least:
            size = f"{x.shape[1]}x{x.shape[2]}"
            raise BadInput(f"images of {size} are too small for {self.levels} levels: give more than {least} pixels")
        options = {"kernel_size": 4, "stride": 2, "dtype": self.dtype, "kernel_init": self.kernel_init}
        widths = [self.width * min(2**i, 8) for i in range(self.levels)]

        maps = [x]  # of the encoder, before their activation
        for i, width in enumerate(widths):
            h = Conv(width, **options)(nn.leaky_relu(maps[-1], 0.2) if i else x)
            maps.append(normalize(h, self.norm) if 0 < i < self.levels - 1 else h)
        h = maps.pop()
        for i, width in enumerate(reversed(widths[:-1])):
            skip = maps.pop()
            h = normalize(_crop(ConvTranspose(width, **options)(nn.relu(h)), skip), self.norm)
            h = Dropout(self.dropout)(h, keys) if i < 3 else h
            h = jnp.concatenate([h, skip], axis=-1) if self.skips else h
        return nn.tanh(_crop(ConvTranspose(self.channels, **options)(nn.relu(h)), x).astype(jnp.float32))


def _crop(h: Array, like: Array) -> Array:
    """Cuts the last row or column off, where the encoder's half of `like` was rounded up."""
    return h[:, : like.shape[1], : like.shape[2]]


def levels(shape: tuple[int, ...]) -> int:
    """Computes how often to halve images `[H, W, C]`: until the shorter side is one pixel, at most 8 times."""
    return min((min(shape[:2]) - 1).bit_length(), 8)


def pair(shape: tuple[int, ...], width: int = 64, norm: Norm = "instance", receptive_field: int = 70) -> Pair:
    """Builds a U-Net and a PatchGAN for target images `[H, W, C]`; `norm="batch"` at 256 x 256 pixels is the paper's.

    The source may have any number of channels. The discriminator takes source and target, concatenated.

    Raises:
        BadInput: the images have fewer than two pixels a side.
    """
    if len(shape) != 3 or min(shape[:2]) < 2:
        raise unsupported(shape, "images of two pixels a side or more")
    g = Generator(shape[-1], levels(shape), width, norm=norm)
    return Pair(g, Discriminator(receptive_field, width, norm))
