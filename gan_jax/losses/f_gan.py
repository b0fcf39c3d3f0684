"""A loss for every f-divergence.

For every critic T, D_f(P || Q) = E_q[f(p / q)] >= E_p[T] - E_q[f*(T)], with equality at T = f'(p / q). P is the data
distribution, Q the generator's, and f*(t) = sup_u (u t - f(u)). The score v is any real number; T = g_f(v) maps it
monotonically into the domain of f*.

exp overflows, so every exponential of a score is continued beyond 20 by its tangent. At |v| = 1e4, value and gradient
and their squares stay finite in float32. exp(20) is a likelihood ratio of 5e8, larger than a batch can resolve.

Nowozin et al. 2016, "f-GAN: training generative neural samplers using variational divergence minimization",
https://arxiv.org/abs/1606.00709; the equations and tables named below are of this paper.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import jax.numpy as jnp
from jax.nn import softplus
from jax.scipy.special import xlogy
from jaxtyping import Array, Float

from gan_jax.losses.adversarial import AdversarialLoss

Elementwise = Callable[[Float[Array, "..."]], Float[Array, "..."]]

EXP_TANGENT = 20.0
"""The score beyond which its exponential is replaced by the tangent."""


class Divergence(NamedTuple):
    """An f-divergence as four elementwise functions."""

    f: Elementwise
    """The convex generator function f(u), u > 0 (table 1)."""
    conjugate: Elementwise
    """f*(t), in its domain (table 2)."""
    activation: Elementwise
    """The output activation g_f(v), increasing, onto the domain of f* (table 2)."""
    composition: Elementwise
    """f*(g_f(v)) in closed form, without overflow (table 6)."""
    name: str = ""
    """The word for the loss on the command line; "" if it has none."""
    undecided: float = 0.0
    """The optimal score where p = q: g_f(undecided) = f'(1)."""


@cache
def f_gan(divergence: Divergence) -> AdversarialLoss:
    """Builds the loss of a divergence, `d`: -g_f(s_real) + f*(g_f(s_fake)) (eq. 7), `g`: -g_f(s_fake) (sec. 3.2).

    With the optimal discriminator, the mean of `d` is minus the divergence. The same divergence gives the same object.
    """
    return AdversarialLoss(
        d=lambda s_real, s_fake: divergence.composition(s_fake) - divergence.activation(s_real),
        g=lambda s_real, s_fake: -divergence.activation(s_fake),
        name=divergence.name,
        undecided=divergence.undecided,
    )


def _exp(v: Float[Array, "..."]) -> Float[Array, "..."]:
    """Computes exp(v) up to `EXP_TANGENT` and the tangent beyond; once continuously differentiable."""
    return jnp.exp(jnp.minimum(v, EXP_TANGENT)) * (1 + jnp.maximum(v - EXP_TANGENT, 0))


kullback_leibler = Divergence(
    f=lambda u: xlogy(u, u),
    conjugate=lambda t: jnp.exp(t - 1),
    activation=lambda v: v,
    composition=lambda v: _exp(v - 1),
    name="kullback_leibler",
    undecided=1.0,
)
"""KL(P || Q) = E_p[log(p / q)]; optimal score 1 + log(p / q)."""

reverse_kullback_leibler = Divergence(
    f=lambda u: -jnp.log(u),
    conjugate=lambda t: -1 - jnp.log(-t),
    activation=lambda v: -_exp(-v),
    composition=lambda v: v - 1,
    name="reverse_kullback_leibler",
)
"""KL(Q || P) = E_q[log(q / p)]; optimal score log(p / q)."""

pearson = Divergence(
    f=lambda u: (u - 1) ** 2,
    conjugate=lambda t: t**2 / 4 + t,
    activation=lambda v: v,
    composition=lambda v: v**2 / 4 + v,
    name="pearson",
)
"""Pearson's chi^2, E_q[(p / q - 1)^2]; optimal score 2 (p / q - 1). As in the paper, f is defined for all real u."""

squared_hellinger = Divergence(
    f=lambda u: (jnp.sqrt(u) - 1) ** 2,
    conjugate=lambda t: t / (1 - t),
    activation=lambda v: 1 - _exp(-v),
    composition=lambda v: _exp(v) - 1,
    name="squared_hellinger",
)
"""The sum of (sqrt p - sqrt q)^2; optimal score log(p / q) / 2."""

jensen_shannon = Divergence(
    f=lambda u: xlogy(u, u) - (u + 1) * jnp.log((u + 1) / 2),
    conjugate=lambda t: -jnp.log(2 - jnp.exp(t)),
    activation=lambda v: math.log(2) - softplus(-v),
    composition=lambda v: softplus(v) - math.log(2),
    name="jensen_shannon",
)
"""KL(P || M) + KL(Q || M), M = (P + Q) / 2: twice the usual Jensen-Shannon divergence; optimal score log(p / q)."""

gan_divergence = Divergence(
    f=lambda u: xlogy(u, u) - (u + 1) * jnp.log(u + 1),
    conjugate=lambda t: -jnp.log(1 - jnp.exp(t)),
    activation=lambda v: -softplus(-v),
    composition=softplus,
)
"""`jensen_shannon` - log 4; optimal score log(p / q). Its loss is `non_saturating`.

Goodfellow et al. 2014, sec. 4.1, https://arxiv.org/abs/1406.2661."""
