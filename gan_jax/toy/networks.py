"""A generator of points in the plane, or in any space of few dimensions."""

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys


class PointGenerator(nn.Module):
    """`z [B, Z]` to points `[B, size]`: the latent times `gain`; per width Dense and tanh; then Dense.

    Data in separate modes asks for plateaus with steep steps between them. Saturating units that start out nearly
    saturated, which is what the gain is for, draw them well; rectifiers leave more samples on the way.
    """

    size: int = 2
    widths: tuple[int, ...] = (64, 64, 64)
    gain: float = 3.0

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"]) -> Float[Array, "B D"]:
        """Points from latents."""
        x = jnp.asarray(self.gain, z.dtype) * z
        for width in self.widths:
            x = nn.tanh(nn.Dense(width)(x))
        return nn.Dense(self.size)(x)


class DiracGenerator(nn.Module):
    """The point `theta` for every latent: `z [B, Z]` to `[B, 1]`."""

    theta: float = 1.0

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"]) -> Float[Array, "B 1"]:
        """`theta`, as often as there are latents."""
        theta = self.param("theta", nn.initializers.constant(self.theta), ())
        return jnp.broadcast_to(theta, (z.shape[0], 1))


class DiracDiscriminator(nn.Module):
    """The score `psi x` of a point on the line: `x [B, 1]` to `[B]`."""

    psi: float = 1.0

    @nn.compact
    def __call__(self, x: Float[Array, "B 1"], keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores of points; `keys` are not used, this network draws no noise."""
        psi = self.param("psi", nn.initializers.constant(self.psi), ())
        return psi * x[:, 0]
