"""Gradient penalties: per score, on any `critic(x [B, ...]) -> [B]`, usually `nets["d"].stateless`.

Differentiates the sum of the scores, which is exact where each score depends on its own example only; through batch
norm the gradient includes the other scores of the batch. A critic that scores packs of m consecutive examples
(`nets.layers.minibatch.Packed`) returns `[B / m]`, and so does a penalty: the gradient is with respect to the pack.
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
"""`[B]`, or `[B / m]` where a critic scores packs."""
Critic = Callable[[Examples], PerScore]
Deviation = Callable[[PerScore], PerScore]


def squared_gradient_norm(critic: Critic, x: Examples) -> PerScore:
    """Computes the squared Euclidean norm of every score's gradient, `[B]` float32."""
    scores, back = jax.vjp(critic, x)
    [gradient] = back(jnp.ones_like(scores))
    return jnp.sum(jnp.square(gradient.astype(jnp.float32)).reshape(scores.shape[0], -1), axis=1)


def r1(critic: Critic, x: Examples) -> PerScore:
    """Computes half the squared gradient norm at (real) examples; the weight gamma is not included.

    Mescheder et al. 2018, "Which training methods for GANs do actually converge?", eq. 9,
    https://arxiv.org/abs/1801.04406.
    """
    return squared_gradient_norm(critic, x) / 2


def r2(critic: Critic, x_fake: Examples) -> PerScore:
    """Computes half the squared gradient norm at generated examples; the weight gamma is not included.

    Mescheder et al. 2018, eq. 10, https://arxiv.org/abs/1801.04406.
    """
    return squared_gradient_norm(critic, x_fake) / 2


def two_sided(norm: PerScore) -> PerScore:
    """Computes `(norm - 1)^2`. Gulrajani et al. 2017, eq. 3, https://arxiv.org/abs/1704.00028."""
    return (norm - 1) ** 2


def one_sided(norm: PerScore) -> PerScore:
    """Computes `max(0, norm - 1)^2`: gradients shorter than 1 are free.

    Gulrajani et al. 2017, sec. 4, https://arxiv.org/abs/1704.00028; Petzka et al. 2018, "On the regularization of
    Wasserstein GANs", https://arxiv.org/abs/1709.08894.
    """
    return jax.nn.relu(norm - 1) ** 2


def zero_centered(norm: PerScore) -> PerScore:
    """Computes `norm^2`.

    Thanh-Tung et al. 2019, "Improving generalization and stability of generative adversarial networks",
    https://arxiv.org/abs/1902.03984.
    """
    return norm**2


def gradient_penalty(
    critic: Critic, x: Examples, x_fake: Examples, keys: Keys, deviation: Deviation = two_sided
) -> PerScore:
    """Computes `deviation(|gradient|)` at one random point between each real and fake example.

    Gulrajani et al. 2017, "Improved training of Wasserstein GANs", eq. 3 and Algorithm 1 (one mixing weight per
    example), https://arxiv.org/abs/1704.00028.
    """
    # The square root has no gradient at 0, the norm where the critic is flat.
    return deviation(jnp.sqrt(squared_gradient_norm(critic, _between(x, x_fake, keys)) + 1e-12))


def dragan(critic: Critic, x: Examples, keys: Keys) -> PerScore:
    """Computes `(|gradient| - 1)^2` at one random point between each real example and the same example plus noise.

    The noise of every element is uniform in [0, s / 2), with s the standard deviation of all elements of the whole
    batch, as in the authors' code.

    Kodali et al. 2017, "On convergence and stability of GANs", https://arxiv.org/abs/1705.07215.
    """
    noise_keys, mix_keys = split(keys, 2)
    mean = pmean(jnp.mean(x))
    std = jnp.sqrt(pmean(jnp.mean(jnp.square(x - mean))))
    noise = jax.vmap(lambda key: jax.random.uniform(key, x.shape[1:], x.dtype))(noise_keys)
    return gradient_penalty(critic, x, x + 0.5 * std * noise, mix_keys)


def max_gradient(critic: Critic, x: Examples, x_fake: Examples, keys: Keys) -> PerScore:
    """Computes the largest squared gradient norm of the whole batch, at one random point per real and fake example.

    Every entry is the maximum, so the mean is the maximum too.

    Zhou et al. 2019, "Lipschitz generative adversarial nets", https://arxiv.org/abs/1902.05687.
    """
    norms = squared_gradient_norm(critic, _between(x, x_fake, keys))
    return jnp.broadcast_to(jnp.max(all_gather(norms)), norms.shape)


def _between(x: Examples, x_fake: Examples, keys: Keys) -> Examples:
    """Draws a random point on the line between every real example and its fake one."""
    weight = uniform(keys).reshape(-1, *(1,) * (x.ndim - 1)).astype(x.dtype)
    return weight * x + (1 - weight) * x_fake
