"""The fully connected networks of the conditional GAN, for MNIST.

Mirza and Osindero 2014, "Conditional generative adversarial nets", sec. 4.1 (https://arxiv.org/abs/1411.1784). Noise
(or image) and label each have a hidden layer of their own, then share one. The default sizes are the paper's. The last
layer is tanh, for images in [-1, 1]; the paper's is a sigmoid.
"""

import math

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int

from gan_jax.engine.game import Keys
from gan_jax.nets.layers.dropout import Dropout
from gan_jax.nets.layers.normalization import BatchNorm

Labels = Int[Array, " B"]


class Generator(nn.Module):
    """`z [B, Z]` and labels `[B]` to images `[B, *shape]` in [-1, 1].

    `units`: hidden units of z, of the label, and of both joined, with ReLU and dropout. `norm` adds batch norm before
    every ReLU (the paper has none).
    """

    shape: tuple[int, int, int]
    classes: int
    units: tuple[int, int, int] = (200, 1000, 1200)
    dropout: float = 0.5
    norm: bool = False
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"], y: Labels, keys: Keys | None = None) -> Float[Array, "B H W C"]:
        """Generates images of classes `y`; `keys` turn dropout on."""

        def hidden(units: int, x: Float[Array, "B N"]) -> Float[Array, "B units"]:
            x = nn.Dense(units, dtype=self.dtype)(x)
            x = BatchNorm(momentum=0.9)(x) if self.norm else x
            return Dropout(self.dropout)(nn.relu(x), keys)

        z_units, y_units, joint_units = self.units
        separate = [hidden(z_units, z), hidden(y_units, jax.nn.one_hot(y, self.classes, dtype=jnp.float32))]
        joint = hidden(joint_units, jnp.concatenate(separate, axis=1))
        x = nn.Dense(math.prod(self.shape), dtype=self.dtype)(joint)
        return nn.tanh(x.astype(jnp.float32)).reshape(-1, *self.shape)


class Discriminator(nn.Module):
    """Images `[B, H, W, C]` and labels `[B]` to scores `[B]`.

    `units`: maxout units of the image (5 pieces), of the label (5), of both joined (4), with dropout; then one logit.
    """

    classes: int
    units: tuple[int, int, int] = (240, 50, 240)
    dropout: float = 0.5
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"], y: Labels, keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores images as examples of classes `y`; `keys` turn dropout on."""

        def hidden(units: int, pieces: int, x: Float[Array, "B N"]) -> Float[Array, "B units"]:
            return Dropout(self.dropout)(Maxout(units, pieces, self.dtype)(x), keys)

        x_units, y_units, joint_units = self.units
        flat, one_hot = x.reshape(x.shape[0], -1), jax.nn.one_hot(y, self.classes, dtype=jnp.float32)
        separate = [hidden(x_units, 5, flat), hidden(y_units, 5, one_hot)]
        joint = hidden(joint_units, 4, jnp.concatenate(separate, axis=1))
        return nn.Dense(1)(joint.astype(jnp.float32)).squeeze(-1)


class Maxout(nn.Module):
    """`[B, N]` to `[B, units]`: every unit is the maximum of `pieces` linear functions.

    Goodfellow et al. 2013, "Maxout networks", sec. 3 (https://arxiv.org/abs/1302.4389).
    """

    units: int
    pieces: int
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Float[Array, "B N"]) -> Float[Array, "B units"]:
        """Computes the maxout units."""
        x = nn.Dense(self.units * self.pieces, dtype=self.dtype)(x)
        return jnp.max(x.reshape(-1, self.units, self.pieces), axis=-1)
