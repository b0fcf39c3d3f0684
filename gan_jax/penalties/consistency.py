"""Consistency regularization: penalizes a score that changes when its example is augmented or its latent perturbed.

The transform is any augmentation that keeps labels, as those of `augment.diff_augment`.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float

from gan_jax.augment.transform import Transform
from gan_jax.engine.game import Keys
from gan_jax.engine.keys import split
from gan_jax.penalties.gradient import Critic, Examples, PerScore

Scored = Float[Array, " S"]
"""One value per score: `[B]`, or fewer where a critic scores packs of examples (`nets.layers.minibatch.Packed`)."""

Latent = Float[Array, "B Z"]
Generator = Callable[[Latent], Examples]


def cr(critic: Critic, x: Examples, keys: Keys, transform: Transform) -> Scored:
    """Computes `(D(x) - D(T(x)))^2` at real examples.

    Zhang et al. 2020, "Consistency regularization for generative adversarial networks",
    https://arxiv.org/abs/1910.12027.
    """
    return jnp.square(critic(x) - critic(transform(x, keys)))


def bcr(critic: Critic, x: Examples, x_fake: Examples, keys: Keys, transform: Transform) -> Scored:
    """Computes `cr` at real examples plus `cr` at fake ones, each with its own draw of the transform (balanced).

    Zhao et al. 2021, "Improved consistency regularization for GANs", Algorithm 1, with equal weights,
    https://arxiv.org/abs/2002.04724.
    """
    real_keys, fake_keys = split(keys, 2)
    return cr(critic, x, real_keys, transform) + cr(critic, x_fake, fake_keys, transform)


def zcr_d(critic: Critic, generator: Generator, z: Latent, dz: Latent) -> Scored:
    """Computes `(D(G(z)) - D(G(z + dz)))^2`, the discriminator's term of latent consistency.

    Zhao et al. 2021, Algorithm 2, https://arxiv.org/abs/2002.04724.
    """
    return jnp.square(critic(generator(z)) - critic(generator(z + dz)))


def zcr_g(generator: Generator, z: Latent, dz: Latent) -> PerScore:
    """Computes `-|G(z) - G(z + dz)|^2`, summed over an image: the generator's term, which rewards diversity.

    Zhao et al. 2021, Algorithm 2, https://arxiv.org/abs/2002.04724.
    """
    change = generator(z) - generator(z + dz)
    return -jnp.sum(jnp.square(change), axis=tuple(range(1, change.ndim)))
