"""Gradient penalties: per score, on any `critic(x [B, ...]) -> [B]`, usually `nets["d"].stateless`.

The gradient of a score is taken as that of the summed scores, which is exact where a score depends on its own example
only; through batch norm the penalty sees the batch's other scores too. A critic that scores packs of m examples that
follow each other (`nets.minibatch.Packed`) returns `[B / m]`, and so does a penalty: the gradient is by the whole pack.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from gan_jax.engine.collectives import all_gather, pmean
from gan_jax.engine.game import Keys
from gan_jax.engine.keys import split, uniform

Examples = Float[Array, "B ..."]
PerScore = Float[Array, " S"]
"""`[B]`, or `[B / m]` of a critic that scores packs."""
Critic = Callable[[Examples], PerScore]
Deviation = Callable[[PerScore], PerScore]


def squared_gradient_norm(critic: Critic, x: Examples) -> PerScore:
    """The squared Euclidean norm of every score's gradient, `[B]` float32."""
    scores, back = jax.vjp(critic, x)
    [gradient] = back(jnp.ones_like(scores))
    return jnp.sum(jnp.square(gradient.astype(jnp.float32)).reshape(scores.shape[0], -1), axis=1)


def r1(critic: Critic, x: Examples) -> PerScore:
    """Half the squared gradient norm at (real) examples; the weight gamma is the caller's.

    Mescheder et al. 2018, "Which training methods for GANs do actually converge?", eq. 9.
    """
    return squared_gradient_norm(critic, x) / 2


def r2(critic: Critic, x_fake: Examples) -> PerScore:
    """Half the squared gradient norm at what the generator made; the weight gamma is the caller's.

    Mescheder et al. 2018, eq. 10.
    """
    return squared_gradient_norm(critic, x_fake) / 2


def two_sided(norm: PerScore) -> PerScore:
    """`(norm - 1)^2`. Gulrajani et al. 2017, eq. 3."""
    return (norm - 1) ** 2


def one_sided(norm: PerScore) -> PerScore:
    """`max(0, norm - 1)^2`: a critic may be flatter than Lipschitz asks.

    Gulrajani et al. 2017, sec. 4; Petzka et al. 2018, "On the regularization of Wasserstein GANs".
    """
    return jax.nn.relu(norm - 1) ** 2


def zero_centered(norm: PerScore) -> PerScore:
    """`norm^2`.

    Thanh-Tung et al. 2019, "Improving generalization and stability of generative adversarial networks".
    """
    return norm**2


def gradient_penalty(
    critic: Critic, x: Examples, x_fake: Examples, keys: Keys, deviation: Deviation = two_sided
) -> PerScore:
    """`deviation(|gradient|)` at one random point between each real and fake example.

    Gulrajani et al. 2017, "Improved training of Wasserstein GANs", eq. 3 and Algorithm 1: one mixing weight an example.
    """
    # The square root has no gradient at 0, which a critic that is flat somewhere does reach.
    return deviation(jnp.sqrt(squared_gradient_norm(critic, _between(x, x_fake, keys)) + 1e-12))


def dragan(critic: Critic, x: Examples, keys: Keys) -> PerScore:
    """`(|gradient| - 1)^2` at one random point between each real example and the same example under noise.

    The noise is uniform in [0, s / 2) for every element, s being the standard deviation of all elements of the whole
    batch. Kodali et al. 2017, "On convergence and stability of GANs", with the noise of the authors' program.
    """
    noise_keys, mix_keys = split(keys, 2)
    mean = pmean(jnp.mean(x))
    std = jnp.sqrt(pmean(jnp.mean(jnp.square(x - mean))))
    noise = jax.vmap(lambda key: jax.random.uniform(key, x.shape[1:], x.dtype))(noise_keys)
    return gradient_penalty(critic, x, x + 0.5 * std * noise, mix_keys)


def max_gradient(critic: Critic, x: Examples, x_fake: Examples, keys: Keys) -> PerScore:
    """The largest squared gradient norm of the whole batch, at one random point between each real and fake example.

    Every score is given the maximum, so that the mean is the maximum. Zhou et al. 2019, "Lipschitz generative
    adversarial nets".
    """
    norms = squared_gradient_norm(critic, _between(x, x_fake, keys))
    return jnp.broadcast_to(jnp.max(all_gather(norms)), norms.shape)


def _between(x: Examples, x_fake: Examples, keys: Keys) -> Examples:
    """A random point on the line from every real example to its fake one."""
    weight = uniform(keys).reshape(-1, *(1,) * (x.ndim - 1)).astype(x.dtype)
    return weight * x + (1 - weight) * x_fake
