"""Distributions of latents: noise, and codes of known range. The label of a conditional game is a code.

Chen et al. 2016, "InfoGAN", sec. 3, https://arxiv.org/abs/1606.03657.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key, Shaped

from gan_jax.priors.interpolation import slerp

Keys = Key[Array, " B"]
"""One PRNG key per example, so that noise does not depend on how the batch is split over devices."""


@runtime_checkable  # beartype checks it in the tests
class Distribution(Protocol):
    """A distribution of one latent; hashable, since samplers are compiled once for each prior."""

    def draw(self, keys: Keys) -> Shaped[Array, "B ..."]:
        """Draws one value per key."""

    def interpolate(
        self, a: Shaped[Array, "B ..."], b: Shaped[Array, "B ..."], t: Float[Array, " T"]
    ) -> Shaped[Array, "B T ..."]:
        """Computes the points of paths from `a` (t = 0) to `b` (t = 1) on which every value is a typical one."""


@dataclass(frozen=True)
class Normal:
    """The standard normal distribution of vectors of `size` values."""

    size: int

    def draw(self, keys: Keys) -> Float[Array, "B Z"]:
        """Draws one vector per key, float32."""
        return jax.vmap(lambda key: jax.random.normal(key, (self.size,), jnp.float32))(keys)

    def interpolate(self, a: Float[Array, "B Z"], b: Float[Array, "B Z"], t: Float[Array, " T"]) -> Array:
        """Follows the great circle, `[B, T, Z]`."""
        return jax.vmap(lambda t: slerp(a, b, t), out_axes=1)(t)


@dataclass(frozen=True)
class Uniform:
    """The uniform distribution on [`low`, `high`)."""

    low: float = -1.0
    high: float = 1.0

    def draw(self, keys: Keys) -> Float[Array, " B"]:
        """Draws one number per key, float32."""
        return jax.vmap(lambda key: jax.random.uniform(key, (), jnp.float32, self.low, self.high))(keys)

    def interpolate(self, a: Float[Array, " B"], b: Float[Array, " B"], t: Float[Array, " T"]) -> Float[Array, "B T"]:
        """Follows the line."""
        return a[:, None] + t[None] * (b - a)[:, None]


@dataclass(frozen=True)
class Categorical:
    """The uniform distribution over `classes` classes."""

    classes: int

    def draw(self, keys: Keys) -> Int[Array, " B"]:
        """Draws one class per key, int32."""
        return jax.vmap(lambda key: jax.random.randint(key, (), 0, self.classes, jnp.int32))(keys)

    def interpolate(self, a: Int[Array, " B"], b: Int[Array, " B"], t: Float[Array, " T"]) -> Int[Array, "B T"]:
        """Stays at `a`: there is nothing between two classes."""
        return _repeated(a, t)


@dataclass(frozen=True)
class ExampleKeys:
    """The keys themselves, for generators whose noise is drawn inside, such as dropout."""

    def draw(self, keys: Keys) -> Keys:
        """Returns `keys`."""
        return keys

    def interpolate(self, a: Keys, b: Keys, t: Float[Array, " T"]) -> Key[Array, "B T"]:
        """Stays at `a`."""
        return _repeated(a, t)


def _repeated(a: Shaped[Array, "B ..."], t: Float[Array, " T"]) -> Shaped[Array, "B T ..."]:
    return jnp.broadcast_to(a[:, None], (len(a), len(t), *a.shape[1:]))


Code = Categorical | Uniform
"""A latent of known range, which may be set or varied when sampling."""

Prior = Mapping[str, Distribution]
"""Independent distributions by the names of the latents."""


def draw(prior: Prior, keys: Keys) -> dict[str, Array]:
    """Draws every latent, independent of the others: the first with `keys` themselves, others with keys of their own.

    What is drawn does not change when latents are added after it.
    """
    own = (keys if i == 0 else jax.vmap(jax.random.fold_in, (0, None))(keys, i - 1) for i in range(len(prior)))
    return {name: each.draw(of_it) for (name, each), of_it in zip(prior.items(), own, strict=True)}
