"""How a generator is told codes: beside its noise, classes as one-hot vectors, numbers as they are."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int, Shaped

from gan_jax.engine.priors import Categorical, Code
from gan_jax.nets.layers.spectral_norm import SpectralNorm

Labels = Int[Array, " B"]

GLOROT = nn.initializers.glorot_uniform()


def joined(
    z: Float[Array, "B Z"], codes: Mapping[str, Code], values: Mapping[str, Shaped[Array, " B"]]
) -> Float[Array, "B Z_and_codes"]:
    """Noise and every code in one vector: with 62 numbers, a code of ten classes and two numbers, `[B, 74]`.

    Its product with a Dense layer is that of the noise plus a learned vector for every class.
    """

    def vectors(name: str, code: Code) -> Float[Array, "B K"]:
        if isinstance(code, Categorical):
            return jax.nn.one_hot(values[name], code.classes, dtype=z.dtype)
        return values[name][:, None].astype(z.dtype)

    return jnp.concatenate([z, *(vectors(name, code) for name, code in codes.items())], axis=1)


class Projection(nn.Module):
    """Features `phi [B, D]` and labels `y [B]` to scores `[B]`: `psi(phi) + <embed(y), phi>`, psi linear without bias.

    Both matrices have spectral norm. Without `classes` the score is `psi(phi)`.

    Miyato and Koyama 2018, eq. 3.
    """

    classes: int

    @nn.compact
    def __call__(self, phi: Float[Array, "B D"], y: Labels | None = None) -> Float[Array, " B"]:
        """Scores of features, as of examples of classes `y`."""
        scores = SpectralNorm(nn.Dense(1, use_bias=False, kernel_init=GLOROT))(phi).squeeze(-1)
        if not self.classes:
            return scores
        embedded = SpectralNorm(nn.Embed(self.classes, phi.shape[-1], embedding_init=GLOROT))(y)
        return scores + jnp.sum(embedded * phi, axis=-1)
