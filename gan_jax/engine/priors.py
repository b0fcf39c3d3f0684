"""What a sample can be asked for besides its noise: codes with a known prior. A conditional game's label is one.

Chen et al. 2016, "InfoGAN: interpretable representation learning by information maximizing generative adversarial
nets", sec. 3, call them latent codes.
"""

from collections.abc import Mapping
from typing import NamedTuple

import jax
from jaxtyping import Array, Float, Int, Key

Keys = Key[Array, " B"]


class Categorical(NamedTuple):
    """One of `classes`, all equally likely."""

    classes: int

    def draw(self, keys: Keys) -> Int[Array, " B"]:
        """One for each key, `[B]` int32."""
        return jax.vmap(lambda key: jax.random.randint(key, (), 0, self.classes))(keys)


class Uniform(NamedTuple):
    """A number, uniform in [`low`, `high`)."""

    low: float = -1.0
    high: float = 1.0

    def draw(self, keys: Keys) -> Float[Array, " B"]:
        """One for each key, `[B]` float32."""
        return jax.vmap(lambda key: jax.random.uniform(key, (), minval=self.low, maxval=self.high))(keys)


Code = Categorical | Uniform


def draw(codes: Mapping[str, Code], keys: Keys) -> dict[str, Array]:
    """Every code by its name, independent of each other."""
    own = (jax.vmap(jax.random.fold_in, (0, None))(keys, i) for i in range(len(codes)))
    return {name: code.draw(each) for (name, code), each in zip(codes.items(), own, strict=True)}
