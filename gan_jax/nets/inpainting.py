"""Networks that fill holes: a U-Net whose output is taken inside the hole only, and a discriminator of whole images.

A stack of small kernels, as in `srgan`, sees the middle of a hole without its surroundings. Pathak et al. 2016,
"Context encoders: feature learning by inpainting", sec. 3.1 (https://arxiv.org/abs/1604.07379), reduce the image to one
pixel for that. The U-Net does too, and joins what surrounds the hole at every size.
"""

from flax import linen as nn
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.nets import srgan, unet
from gan_jax.nets.layers.convolution import Images
from gan_jax.nets.pair import Pair


class Filler(nn.Module):
    """Images with a hole `[B, H, W, C + 1]`, the mask last, to images `[B, H, W, C]`: `(1 - mask) a + mask g(a)`.

    Known pixels come through unchanged, and losses see nothing but the hole.
    """

    g: nn.Module

    def __call__(self, x: Images, keys: Keys | None = None) -> Float[Array, "B H W _"]:
        """Fills holes; `keys` are those of `g`."""
        image, mask = x[..., :-1], x[..., -1:]
        return (1 - mask) * image + mask * self.g(x, keys)


def small(shape: tuple[int, ...], scale: int = 1) -> Pair:
    """Builds networks for a CPU and target images `[H, W, C]`; sizes are kept, so `scale` is ignored.

    No norm, dropout or noise: the network is a regression first.

    Raises:
        BadInput: the images have fewer than two pixels a side.
    """
    g = unet.pair(shape, width=32, norm="none").g.clone(dropout=0.0, kernel_init=srgan.HE)
    return Pair(Filler(g), srgan.Discriminator((32, 64, 128, 256), units=256))
