"""The networks of SAGAN: SNGAN's, with self-attention and spectral norm in both; `pair` builds them.

Zhang et al. 2019, "Self-attention generative adversarial networks" (https://arxiv.org/abs/1805.08318): one
`SelfAttention` per network, and spectral norm in the generator too (sec. 4). The paper's networks have labels, for
128 x 128 pixels; these have none, and attend at half the size of the images.
"""

from gan_jax.nets import resnet
from gan_jax.nets.layers.spectral_norm import SpectralNorm
from gan_jax.nets.pair import Pair


def pair(shape: tuple[int, ...], g_width: int = 256, d_width: int = 128) -> Pair:
    """Builds the networks for square images `[H, H, C]`; sizes, widths and errors as in `resnet.pair`."""
    g, d = resnet.pair(shape, g_width, d_width)
    return Pair(SpectralNorm(g.clone(attention=True)), d.clone(attention=True))
