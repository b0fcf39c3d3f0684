"""Conditioning on labels and latent codes: concatenation for generators, projection for discriminators."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int, Shaped

from gan_jax.nets.layers.spectral_norm import SpectralNorm
from gan_jax.priors import Categorical, Code

Labels = Int[Array, " B"]

GLOROT = nn.initializers.glorot_uniform()


def concat_codes(
    z: Float[Array, "B Z"], codes: Mapping[str, Code], values: Mapping[str, Shaped[Array, " B"]]
) -> Float[Array, "B Z_and_codes"]:
    """Concatenates noise and codes: one-hot for categorical ones, the value for continuous ones.

    62 noise values, ten classes and two continuous codes give `[B, 74]`.
    """

    def encode(name: str, code: Code) -> Float[Array, "B K"]:
        if isinstance(code, Categorical):
            return jax.nn.one_hot(values[name], code.classes, dtype=z.dtype)
        return values[name][:, None].astype(z.dtype)

    return jnp.concatenate([z, *(encode(name, code) for name, code in codes.items())], axis=1)


class Projection(nn.Module):
    """Features `phi [B, D]` and labels `y [B]` to scores `[B]`: `psi(phi) + <embed(y), phi>`, psi linear without bias.

    Both matrices have spectral norm, unless `spectral` is false. With 0 `classes` the score is `psi(phi)`.

    Miyato and Koyama 2018, "cGANs with projection discriminator", eq. 3 (https://arxiv.org/abs/1802.05637).
    """

    classes: int
    spectral: bool = True

    @nn.compact
    def __call__(self, phi: Float[Array, "B D"], y: Labels | None = None) -> Float[Array, " B"]:
        """Scores features as those of classes `y`."""
        normalized = SpectralNorm if self.spectral else lambda layer: layer
        scores = normalized(nn.Dense(1, use_bias=False, kernel_init=GLOROT))(phi).squeeze(-1)
        if not self.classes:
            return scores
        embedded = normalized(nn.Embed(self.classes, phi.shape[-1], embedding_init=GLOROT))(y)
        return scores + jnp.sum(embedded * phi, axis=-1)
