"""The networks of InfoGAN for MNIST.

Chen et al. 2016, "InfoGAN: interpretable representation learning by information maximizing generative adversarial
nets", appendix C.1: 4 x 4 kernels of stride 2, a wide Dense layer at the far end of either network, batch norm. Kernels
are drawn from N(0, 0.02^2), as in the authors' program.
"""

from collections.abc import Mapping
from typing import NamedTuple

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Shaped

from gan_jax.engine.game import Keys
from gan_jax.engine.priors import Categorical, Code
from gan_jax.errors import BadInput
from gan_jax.nets import dcgan
from gan_jax.nets.layers.conditioning import joined
from gan_jax.nets.layers.convolution import Conv
from gan_jax.nets.layers.normalization import BatchNorm

INITIAL = nn.initializers.normal(0.02)


class Generator(nn.Module):
    """`z [B, Z]` and codes `{name: [B]}` to images `[B, size, size, channels]` in [-1, 1].

    Dense layers to 16 `width` and to `[B, size / 4, size / 4, 2 width]`, transposed convolutions to `width` maps and to
    the image; batch norm and ReLU in all but the last.
    """

    codes: Mapping[str, Code]
    channels: int = 1
    size: int = 28
    width: int = 64

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"], c: Mapping[str, Shaped[Array, " B"]]) -> Float[Array, "B H W C"]:
        """Images of codes."""
        x = nn.Dense(16 * self.width, kernel_init=INITIAL)(joined(z, self.codes, c))
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
        )(x)


class Discriminator(nn.Module):
    """D and Q: images `[B, H, W, C]` to scores `[B]` and a guess `[B, K]` at every code.

    Convolutions to `width` and to 2 `width` maps and a Dense layer to 16 `width`; D is one Dense layer from there, Q
    two, of 2 `width` and of what the guesses need: `classes` logits for a class, the mean of a number.
    LeakyReLU 0.1, batch norm in all but the first and the last layers. The standard deviation of a number is 1, as in
    the authors' program for MNIST: what is learned goes to 0 with the error, and then outweighs the digits.
    """

    codes: Mapping[str, Code]
    width: int = 64

    @nn.compact
    def __call__(
        self, x: Float[Array, "B H W C"], keys: Keys | None = None
    ) -> tuple[Float[Array, " B"], dict[str, Float[Array, "B _"]]]:
        """Scores and guesses of images; `keys` are not used, this network draws no noise."""

        def dense(size: int) -> nn.Dense:
            return nn.Dense(size, kernel_init=INITIAL)

        def normalized(x: Array) -> Array:
            return nn.leaky_relu(BatchNorm(momentum=0.9)(x), 0.1)

        x = nn.leaky_relu(Conv(self.width, kernel_size=4, stride=2, kernel_init=INITIAL)(x), 0.1)
        x = normalized(Conv(2 * self.width, kernel_size=4, stride=2, kernel_init=INITIAL)(x))
        x = normalized(dense(16 * self.width)(x.reshape(x.shape[0], -1)))
        q = normalized(dense(2 * self.width)(x))

        def guess(name: str, code: Code) -> Float[Array, "B K"]:
            if isinstance(code, Categorical):
                return nn.Dense(code.classes, kernel_init=INITIAL, name=f"q_{name}")(q)
            mean = nn.Dense(1, kernel_init=INITIAL, name=f"q_{name}")(q)
            return jnp.concatenate([mean, jnp.zeros_like(mean)], axis=1)  # the logarithm of 1

        guesses = {name: guess(name, code) for name, code in self.codes.items()}
        return nn.Dense(1, kernel_init=INITIAL, name="score")(x.astype(jnp.float32))[:, 0], guesses


class Pair(NamedTuple):
    """Networks that fit each other."""

    g: Generator
    d: Discriminator


def paper(shape: tuple[int, ...], codes: Mapping[str, Code], width: int = 64) -> Pair:
    """The paper's networks for square images `[H, H, C]`; with width 64 and 28 x 28 x 1, those for MNIST.

    Raises:
        BadInput: the images are not square, or their size is no multiple of 4.
    """
    height, channels = shape[0], shape[-1]
    if len(shape) != 3 or shape[0] != shape[1] or height % 4:
        size = "x".join(map(str, shape))
        raise BadInput(f"images of {size} cannot be made: they must be square, of 4, 8, 12 ... pixels")
    return Pair(Generator(codes, channels, height, width), Discriminator(codes, width))
