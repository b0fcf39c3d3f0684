"""How a generator is told codes: beside its noise, classes as one-hot vectors, numbers as they are."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from gan_jax.codes import Categorical, Code


def joined(
    z: Float[Array, "B Z"], codes: Mapping[str, Code], values: Mapping[str, Shaped[Array, " B"]]
) -> Float[Array, "B Z_and_codes"]:
    """Noise and every code in one vector: with 62 numbers, a code of ten classes and two numbers, `[B, 74]`.

    Its product with a Dense layer is that of the noise plus a learnt vector for every class.
    """

    def vectors(name: str, code: Code) -> Float[Array, "B K"]:
        if isinstance(code, Categorical):
            return jax.nn.one_hot(values[name], code.classes, dtype=z.dtype)
        return values[name][:, None].astype(z.dtype)

    return jnp.concatenate([z, *(vectors(name, code) for name, code in codes.items())], axis=1)
