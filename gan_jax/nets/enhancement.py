"""Networks that keep the size of an image, computed at half of it; with a discriminator of whole images.

Convolutions at half the resolution see twice as far for a quarter of the operations, and nothing is lost: the pixels of
each 2 x 2 block become channels. Zhang et al. 2018, "FFDNet: toward a fast and flexible solution for CNN-based image
denoising", sec. 3.2 (https://arxiv.org/abs/1710.04026).
"""

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.nets import srgan
from gan_jax.nets.layers.convolution import Images
from gan_jax.nets.layers.resampling import pixel_unshuffle
from gan_jax.nets.pair import Pair


class HalfResolution(nn.Module):
    """Images `[B, H, W, C]` of any size to images `[B, H, W, g.channels]`: `x + g(pixel_unshuffle(x, 2))`.

    `g` doubles the size, adds no image of its own and begins at 0, so that the first output is the input. Odd sides are
    continued by their last pixels. A gray input is repeated in all channels of the sum; of a mask after the colors, the
    sum has nothing.
    """

    g: srgan.Generator

    def __call__(self, x: Images, keys: Keys | None = None) -> Float[Array, "B H W _"]:
        """Enhances images; `keys` are those of `g`."""
        rows, columns = x.shape[1:3]
        even = jnp.pad(x, ((0, 0), (0, rows % 2), (0, columns % 2), (0, 0)), mode="edge")
        change = self.g(pixel_unshuffle(even, 2), keys)[:, :rows, :columns]
        return srgan.enlarge(x, 1, self.g.channels) + change


def small(shape: tuple[int, ...], scale: int = 1) -> Pair:
    """Builds networks for a CPU and target images `[H, W, C]`; sizes are kept, so `scale` is ignored.

    6 blocks of 32 maps, no norm, as in `srgan.small`.

    Raises:
        BadInput: `shape` is not that of an image.
    """
    g, d = srgan.small(shape, scale=2)
    return Pair(HalfResolution(g.clone(kernel_size=3, residual=False)), d)
