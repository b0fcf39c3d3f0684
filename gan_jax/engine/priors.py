"""Latent codes: inputs of a generator beside its noise, with a known prior. The label of a conditional game is one.

Chen et al. 2016, "InfoGAN", sec. 3, https://arxiv.org/abs/1606.03657.
"""

from collections.abc import Mapping
from typing import NamedTuple

import jax
from jaxtyping import Array, Float, Int, Key

Keys = Key[Array, " B"]
"""One PRNG key per example, so that noise does not depend on how the batch is split over devices."""


class Categorical(NamedTuple):
    """The uniform distribution over `classes` classes."""

    classes: int

    def draw(self, keys: Keys) -> Int[Array, " B"]:
        """Draws one class per key, `[B]` int32."""
        return jax.vmap(lambda key: jax.random.randint(key, (), 0, self.classes, jax.numpy.int32))(keys)


class Uniform(NamedTuple):
    """The uniform distribution on [`low`, `high`)."""

    low: float = -1.0
    high: float = 1.0

    def draw(self, keys: Keys) -> Float[Array, " B"]:
        """Draws one number per key, `[B]` float32."""
        return jax.vmap(lambda key: jax.random.uniform(key, (), jax.numpy.float32, self.low, self.high))(keys)


Code = Categorical | Uniform


def draw(codes: Mapping[str, Code], keys: Keys) -> dict[str, Array]:
    """Draws every code, independent of the others."""
    own = (jax.vmap(jax.random.fold_in, (0, None))(keys, i) for i in range(len(codes)))
    return {name: code.draw(each) for (name, code), each in zip(codes.items(), own, strict=True)}
