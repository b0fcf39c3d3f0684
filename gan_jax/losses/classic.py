"""Losses that are a function of the real score plus a function of the fake score.

p and q are the densities of real and of fake examples at an input.
"""

import math

import jax
import jax.numpy as jnp
from jax.nn import relu, softplus
from jaxtyping import Array, Float

from gan_jax.errors import BadInput
from gan_jax.losses.adversarial import AdversarialLoss, Scores


def _cross_entropy(s_real: Scores, s_fake: Scores) -> Scores:
    return softplus(-s_real) + softplus(s_fake)


minimax = AdversarialLoss(d=_cross_entropy, g=lambda s_real, s_fake: -softplus(s_fake), name="minimax")
"""`d`: -log D(x) - log(1 - D(G(z))), `g`: log(1 - D(G(z))), with D = sigmoid(score).

The generator's gradient vanishes where the discriminator rejects its samples with confidence. Optimal score log(p / q).

Goodfellow et al. 2014, "Generative adversarial nets", eq. 1, https://arxiv.org/abs/1406.2661."""

non_saturating = AdversarialLoss(d=_cross_entropy, g=lambda s_real, s_fake: softplus(-s_fake), name="non_saturating")
"""`d` as in `minimax`; `g`: -log D(G(z)).

Goodfellow et al. 2014, sec. 3, https://arxiv.org/abs/1406.2661."""


def label_smoothing(target: float | int | Float[Array, ""] = 0.9) -> AdversarialLoss:
    """Builds `non_saturating` with one-sided label smoothing: the discriminator's label for real is `target`, not 1.

    `d`: -target log D(x) - (1 - target) log(1 - D(x)) - log(1 - D(G(z))), with D = sigmoid(score). The label for fake
    stays 0, and the generator's label for its samples stays 1. The optimal D is target p / (p + q), so scores are
    undecided below 0, at log(target / (2 - target)).

    Raises:
        BadInput: `target` is not in (0, 1].

    Salimans et al. 2016, "Improved techniques for training GANs", sec. 3.4, https://arxiv.org/abs/1606.03498.
    """
    traced = isinstance(target, jax.Array)
    if not traced and not 0 < target <= 1:
        raise BadInput(f"label_smoothing(target={target}): it must be above 0 and at most 1")
    return AdversarialLoss(
        d=lambda s_real, s_fake: _cross_entropy(s_real, s_fake) + (1 - target) * s_real,
        g=non_saturating.g,
        name=f"label_smoothing:{target}",
        undecided=(jnp.log if traced else math.log)(target / (2 - target)),
    )


def lsgan(a: float | int, b: float | int, c: float | int) -> AdversarialLoss:
    """Builds the least-squares loss, `d`: (s_real - b)^2 / 2 + (s_fake - a)^2 / 2, `g`: (s_fake - c)^2 / 2.

    Args:
        a: the discriminator's label for fake.
        b: the discriminator's label for real.
        c: the generator's label for fake.

    The optimal score is (b p + a q) / (p + q), undecided halfway between the labels. With b - c = 1 and b - a = 2, as
    in `lsgan(-1.0, 1.0, 0.0)`, the game minimizes a Pearson chi^2 divergence.

    Mao et al. 2017, "Least squares generative adversarial networks", eq. 2, https://arxiv.org/abs/1611.04076.
    """
    return AdversarialLoss(
        d=lambda s_real, s_fake: 0.5 * (s_real - b) ** 2 + 0.5 * (s_fake - a) ** 2,
        g=lambda s_real, s_fake: 0.5 * (s_fake - c) ** 2,
        name=f"lsgan:{a}:{b}:{c}",
        undecided=(a + b) / 2,
    )


least_squares = lsgan(0.0, 1.0, 1.0)._replace(name="least_squares")
"""`lsgan` with labels 0 for fake and 1 for real. Mao et al. 2017, eq. 9, https://arxiv.org/abs/1611.04076."""

hinge = AdversarialLoss(
    d=lambda s_real, s_fake: relu(1 - s_real) + relu(1 + s_fake),
    g=lambda s_real, s_fake: -s_fake,
    name="hinge",
)
"""`d`: max(0, 1 - s_real) + max(0, 1 + s_fake), `g`: -s_fake. Optimal score 1 where p > q, and -1 where p < q.

Lim & Ye 2017, "Geometric GAN", https://arxiv.org/abs/1705.02894; Miyato et al. 2018, "Spectral normalization for
generative adversarial networks", eq. 16 and 17, https://arxiv.org/abs/1802.05957."""

wasserstein = AdversarialLoss(
    d=lambda s_real, s_fake: s_fake - s_real,
    g=lambda s_real, s_fake: -s_fake,
    name="wasserstein",
    undecided=None,
)
"""`d`: s_fake - s_real, `g`: -s_fake. A constant added to all scores changes nothing, so none is undecided.

The critic must be Lipschitz: clip its weights (`penalties.clip_weights`) or add a gradient penalty.

Arjovsky et al. 2017, "Wasserstein GAN", eq. 2, https://arxiv.org/abs/1701.07875."""
