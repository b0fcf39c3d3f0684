"""Networks for toy data: points in a few dimensions, and the Dirac-GAN's one-parameter players."""

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys


class PointGenerator(nn.Module):
    """`z [B, Z]` to points `[B, size]`: the latent times `gain`; per width Dense and tanh; then Dense.

    For data in separate modes: units nearly saturated from the start (by `gain`) form plateaus with steep steps between
    them, and leave fewer samples between the modes than ReLU.
    """

    size: int = 2
    widths: tuple[int, ...] = (64, 64, 64)
    gain: float = 3.0
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"]) -> Float[Array, "B D"]:
        """Generates points."""
        x = jnp.asarray(self.gain, z.dtype) * z
        for width in self.widths:
            x = nn.tanh(nn.Dense(width, dtype=self.dtype)(x))
        return nn.Dense(self.size)(x.astype(jnp.float32))


class DiracGenerator(nn.Module):
    """The point `theta` for every latent: `z [B, Z]` to `[B, 1]`."""

    theta: float = 1.0

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"]) -> Float[Array, "B 1"]:
        """Repeats `theta` for every latent."""
        theta = self.param("theta", nn.initializers.constant(self.theta), (), jnp.float32)
        return jnp.broadcast_to(theta, (z.shape[0], 1))


class DiracDiscriminator(nn.Module):
    """Points on the line `x [B, 1]` to scores `psi x` `[B]`."""

    psi: float = 1.0

    @nn.compact
    def __call__(self, x: Float[Array, "B 1"], keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores points; `keys` are ignored."""
        psi = self.param("psi", nn.initializers.constant(self.psi), (), jnp.float32)
        return psi * x[:, 0]
