"""The networks of InfoGAN, for MNIST.

Chen et al. 2016, "InfoGAN: interpretable representation learning by information maximizing generative adversarial
nets", appendix C.1 (https://arxiv.org/abs/1606.03657): 4 x 4 kernels of stride 2, a Dense layer of 1024 units at the
latent end of both networks, batch norm. Kernels are drawn from N(0, 0.02^2), as in the authors' program.
"""

from collections.abc import Mapping

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Shaped

from gan_jax.engine.game import Keys
from gan_jax.nets import dcgan
from gan_jax.nets.layers.conditioning import concat_codes
from gan_jax.nets.layers.convolution import Conv
from gan_jax.nets.layers.normalization import BatchNorm
from gan_jax.nets.pair import Pair, unsupported
from gan_jax.priors import Categorical, Code

INITIAL = nn.initializers.normal(0.02)


class Generator(nn.Module):
    """`z [B, Z]` and codes `{name: [B]}` to images `[B, size, size, channels]` in [-1, 1].

    Dense layers to 16 `width` units and to `[B, size / 4, size / 4, 2 width]`, then transposed convolutions to `width`
    maps and to the image. Batch norm and ReLU in all but the last.
    """

    codes: Mapping[str, Code]
    channels: int = 1
    size: int = 28
    width: int = 64
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"], c: Mapping[str, Shaped[Array, " B"]]) -> Float[Array, "B H W C"]:
        """Generates images of codes."""
        x = nn.Dense(16 * self.width, dtype=self.dtype, kernel_init=INITIAL)(concat_codes(z, self.codes, c))
        x = nn.relu(BatchNorm(momentum=0.9)(x))
        return dcgan.Generator(
            self.channels,
            self.size,
            widths=(2 * self.width, self.width),
            strides=(2, 2),
            kernel_size=4,
            slope=0.0,
            norm=True,
            kernel_init=INITIAL,
            dtype=self.dtype,
        )(x)


class Discriminator(nn.Module):
    """D and Q: images `[B, H, W, C]` to scores `[B]` and the parameters `[B, K]` of Q(c | x), per code.

    Both share convolutions to `width` and 2 `width` maps and a Dense layer to 16 `width` units. D adds one Dense layer,
    Q two: to 2 `width` units, then to the logits of a categorical code or the mean of a continuous one. LeakyReLU 0.1,
    batch norm in all but the first and last layers.

    The standard deviation of a continuous code is fixed at 1, as in the authors' program for MNIST: a learned one
    shrinks with the error, and its term then outweighs the categorical code.
    """

    codes: Mapping[str, Code]
    width: int = 64
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(
        self, x: Float[Array, "B H W C"], keys: Keys | None = None
    ) -> tuple[Float[Array, " B"], dict[str, Float[Array, "B _"]]]:
        """Computes scores and posterior parameters; `keys` are ignored."""

        def dense(size: int) -> nn.Dense:
            return nn.Dense(size, dtype=self.dtype, kernel_init=INITIAL)

        def normalized(x: Array) -> Array:
            return nn.leaky_relu(BatchNorm(momentum=0.9)(x), 0.1)

        options = {"kernel_size": 4, "stride": 2, "dtype": self.dtype, "kernel_init": INITIAL}
        x = nn.leaky_relu(Conv(self.width, **options)(x), 0.1)
        x = normalized(Conv(2 * self.width, **options)(x))
        x = normalized(dense(16 * self.width)(x.reshape(x.shape[0], -1)))
        q = normalized(dense(2 * self.width)(x)).astype(jnp.float32)

        def posterior(name: str, code: Code) -> Float[Array, "B K"]:
            if isinstance(code, Categorical):
                return nn.Dense(code.classes, kernel_init=INITIAL, name=f"q_{name}")(q)
            mean = nn.Dense(1, kernel_init=INITIAL, name=f"q_{name}")(q)
            return jnp.concatenate([mean, jnp.zeros_like(mean)], axis=1)  # log 1

        posteriors = {name: posterior(name, code) for name, code in self.codes.items()}
        return nn.Dense(1, kernel_init=INITIAL, name="score")(x.astype(jnp.float32))[:, 0], posteriors


def paper(shape: tuple[int, ...], codes: Mapping[str, Code], width: int = 64) -> Pair:
    """Builds the paper's networks for square images `[H, H, C]`; width 64 at 28 x 28 x 1 is the paper's for MNIST.

    Raises:
        BadInput: the images are not square, or their size is not a multiple of 4.
    """
    if len(shape) != 3 or shape[0] != shape[1] or shape[0] % 4:
        raise unsupported(shape, "square images of 4, 8, 12, ... pixels a side")
    size, _, channels = shape
    return Pair(Generator(codes, channels, size, width), Discriminator(codes, width))
