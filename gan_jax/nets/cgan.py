"""The fully connected networks of the first conditional GAN.

Mirza and Osindero 2014, "Conditional generative adversarial nets", sec. 4.1, for MNIST. Both networks read noise or
image and label apart, then together. The defaults are the paper's sizes. The last layer is tanh, for images in [-1, 1],
where the paper has a sigmoid.
"""

import math

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int

from gan_jax.engine.game import Keys
from gan_jax.nets.layers.dropout import Dropout
from gan_jax.nets.layers.normalization import BatchNorm

Labels = Int[Array, " B"]


class Generator(nn.Module):
    """`z [B, Z]` and labels to images `[B, *shape]` in [-1, 1]: `units` of z, of the label, and of both.

    Hidden units are ReLU, with dropout; with `norm`, which the paper does not have, they have batch norm before it.
    """

    shape: tuple[int, int, int]
    classes: int
    units: tuple[int, int, int] = (200, 1000, 1200)
    dropout: float = 0.5
    norm: bool = False

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"], y: Labels, keys: Keys | None = None) -> Float[Array, "B H W C"]:
        """Images from latents, of classes `y`; with `keys`, one per example, under dropout."""

        def hidden(units: int, x: Float[Array, "B N"]) -> Float[Array, "B units"]:
            x = nn.Dense(units)(x)
            x = BatchNorm(momentum=0.9)(x) if self.norm else x
            return Dropout(self.dropout)(nn.relu(x), keys)

        of_z, of_y, of_both = self.units
        apart = [hidden(of_z, z), hidden(of_y, jax.nn.one_hot(y, self.classes))]
        both = hidden(of_both, jnp.concatenate(apart, axis=1))
        return nn.tanh(nn.Dense(math.prod(self.shape))(both)).reshape(-1, *self.shape)


class Discriminator(nn.Module):
    """Images `[B, H, W, C]` and labels to scores `[B]`: `units` of the image, of the label, and of both.

    Hidden units are the largest of five linear pieces, those of both of four, with dropout; then one logit.
    """

    classes: int
    units: tuple[int, int, int] = (240, 50, 240)
    dropout: float = 0.5

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"], y: Labels, keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores of images as examples of classes `y`; with `keys`, one per example, under dropout."""

        def hidden(units: int, pieces: int, x: Float[Array, "B N"]) -> Float[Array, "B units"]:
            return Dropout(self.dropout)(Maxout(units, pieces)(x), keys)

        of_x, of_y, of_both = self.units
        apart = [hidden(of_x, 5, x.reshape(x.shape[0], -1)), hidden(of_y, 5, jax.nn.one_hot(y, self.classes))]
        both = hidden(of_both, 4, jnp.concatenate(apart, axis=1))
        return nn.Dense(1)(both).squeeze(-1)


class Maxout(nn.Module):
    """`[B, N]` to `[B, units]`, each the largest of `pieces` linear functions of its own.

    Goodfellow et al. 2013, "Maxout networks", sec. 3.
    """

    units: int
    pieces: int

    @nn.compact
    def __call__(self, x: Float[Array, "B N"]) -> Float[Array, "B units"]:
        """The units of every example."""
        return jnp.max(nn.Dense(self.units * self.pieces)(x).reshape(-1, self.units, self.pieces), axis=-1)
