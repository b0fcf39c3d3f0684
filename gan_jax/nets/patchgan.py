"""PatchGAN, the discriminator of pix2pix and CycleGAN: one score for every patch of the image.

Isola et al. 2017, "Image-to-image translation with conditional adversarial networks", sec. 3.2.2 and 6.1.2
(https://arxiv.org/abs/1611.07004). Layers, borders and widths are those of the authors' program: 30 x 30 scores of 70 x
70 pixels for images of 256 x 256.
"""

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.errors import BadInput
from gan_jax.nets.layers.convolution import Conv, Images
from gan_jax.nets.layers.normalization import Norm, normalize

STRIDED = {1: 0, 16: 1, 34: 2, 70: 3, 142: 4, 286: 5}
"""Number of layers of stride 2, by receptive field; with a field of 1 pixel, all kernels are 1 x 1."""
INITIAL = nn.initializers.normal(0.02)


class Discriminator(nn.Module):
    """Images `[B, H, W, C]` to scores `[B, h, w]`, each of a patch of `receptive_field` pixels a side.

    A conditional discriminator takes source and target as one image: `jnp.concatenate([source, target], axis=-1)`.
    Convolutions 4 x 4, norm in all but the first and the last, LeakyReLU 0.2. Instance norm lets every score depend
    on the mean and variance of the whole image, beyond its patch.
    """

    receptive_field: int = 70
    width: int = 64
    norm: Norm = "instance"
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Images, keys: Keys | None = None) -> Float[Array, "B h w"]:
        """Scores the patches of images; `keys` are ignored.

        Raises:
            BadInput: the receptive field is not supported, or the images are too small for one score.
        """
        check(self.receptive_field, x.shape[1:3])
        strided = STRIDED[self.receptive_field]
        kernel = {"kernel_size": 4, "border": 1} if strided else {"kernel_size": 1, "border": 0}
        kernel["kernel_init"] = INITIAL
        for i in range(max(strided, 1) + 1):
            x = Conv(self.width * min(2**i, 8), stride=1 + (i < strided), dtype=self.dtype, **kernel)(x)
            x = nn.leaky_relu(normalize(x, self.norm) if i else x, 0.2)
        return Conv(1, **kernel)(x.astype(jnp.float32)).squeeze(-1)


def check(receptive_field: int, size: tuple[int, ...]) -> None:
    """Raises `BadInput` unless the receptive field is in `STRIDED` and images of `size` have at least one score."""
    if receptive_field not in STRIDED:
        raise BadInput(f"a receptive field of {receptive_field} pixels is not supported: choose one of {[*STRIDED]}")
    least = 3 * 2 ** STRIDED[receptive_field] if receptive_field > 1 else 1
    if min(size) < least:
        small = "x".join(map(str, size))
        raise BadInput(f"images of {small} are too small for patches of {receptive_field}: give {least} pixels or more")
