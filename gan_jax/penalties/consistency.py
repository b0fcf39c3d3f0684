"""Consistency: a score should not change when its example is augmented, or its latent moved a little.

`transform(x, keys) -> x` is any augmentation that keeps what an example means, with one key per example.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.engine.keys import split
from gan_jax.penalties.gradient import Critic, Examples, PerScore

Scored = Float[Array, " S"]
"""One for every score: `[B]`, or less where a critic joins examples (`nets.minibatch.Packed`)."""

Transform = Callable[[Examples, Keys], Examples]
Latent = Float[Array, "B Z"]
Generator = Callable[[Latent], Examples]


def cr(critic: Critic, x: Examples, keys: Keys, transform: Transform) -> Scored:
    """`(D(x) - D(T(x)))^2` on real examples.

    Zhang et al. 2020, "Consistency regularization for generative adversarial networks".
    """
    return jnp.square(critic(x) - critic(transform(x, keys)))


def bcr(critic: Critic, x: Examples, x_fake: Examples, keys: Keys, transform: Transform) -> Scored:
    """Balanced: `cr` on real examples plus `cr` on fake ones, each under a transform of its own.

    Zhao et al. 2021, "Improved consistency regularization for GANs", Algorithm 1, with equal weights.
    """
    real_keys, fake_keys = split(keys, 2)
    return cr(critic, x, real_keys, transform) + cr(critic, x_fake, fake_keys, transform)


def zcr_d(critic: Critic, generator: Generator, z: Latent, dz: Latent) -> Scored:
    """`(D(G(z)) - D(G(z + dz)))^2`, the discriminator's side of latent consistency.

    Zhao et al. 2021, Algorithm 2.
    """
    return jnp.square(critic(generator(z)) - critic(generator(z + dz)))


def zcr_g(generator: Generator, z: Latent, dz: Latent) -> PerScore:
    """`-|G(z) - G(z + dz)|^2`, summed over an image: the generator's side, which wants what the other forgives.

    Zhao et al. 2021, Algorithm 2.
    """
    change = generator(z) - generator(z + dz)
    return -jnp.sum(jnp.square(change), axis=tuple(range(1, change.ndim)))
