"""The classic losses, each a sum of a function of the real score and one of the fake score."""

from jax.nn import relu, softplus

from gan_jax.errors import BadInput
from gan_jax.losses.adversarial import AdversarialLoss, Scores


def _cross_entropy(s_real: Scores, s_fake: Scores) -> Scores:
    return softplus(-s_real) + softplus(s_fake)


minimax = AdversarialLoss(d=_cross_entropy, g=lambda s_real, s_fake: -softplus(s_fake))
"""`d`: -log D(x) - log(1 - D(G(z))), `g`: log(1 - D(G(z))), with D = sigmoid(score).

Goodfellow et al. 2014, "Generative adversarial nets", eq. 1. The generator's gradient vanishes where the
discriminator is sure of itself."""

non_saturating = AdversarialLoss(d=_cross_entropy, g=lambda s_real, s_fake: softplus(-s_fake))
"""`d` as in `minimax`; `g`: -log D(G(z)), trained to be called real. Goodfellow et al. 2014, sec. 3."""


def smoothed(target: float = 0.9) -> AdversarialLoss:
    """`non_saturating` with one-sided label smoothing: the discriminator's label for real is `target` instead of 1.

    `d`: -target log D(x) - (1 - target) log(1 - D(x)) - log(1 - D(G(z))), with D = sigmoid(score). The label for fake
    stays 0, and the generator's for its fakes stays 1.

    Salimans et al. 2016, "Improved techniques for training GANs", sec. 3.4.

    Raises:
        BadInput: `target` is not in (0, 1].
    """
    if not 0 < target <= 1:
        raise BadInput(f"smoothed(target={target}): it must be above 0 and at most 1")
    return AdversarialLoss(
        d=lambda s_real, s_fake: _cross_entropy(s_real, s_fake) + (1 - target) * s_real,
        g=non_saturating.g,
    )


def lsgan(a: float, b: float, c: float) -> AdversarialLoss:
    """`d`: (s_real - b)^2 / 2 + (s_fake - a)^2 / 2, `g`: (s_fake - c)^2 / 2.

    Args:
        a: the label for fake.
        b: the label for real.
        c: what the generator wants its fakes to be called.

    With b - c = 1 and b - a = 2, as in `lsgan(-1.0, 1.0, 0.0)`, the game minimizes a Pearson chi^2 divergence.

    Mao et al. 2017, "Least squares generative adversarial networks", eq. 2.
    """
    return AdversarialLoss(
        d=lambda s_real, s_fake: 0.5 * (s_real - b) ** 2 + 0.5 * (s_fake - a) ** 2,
        g=lambda s_real, s_fake: 0.5 * (s_fake - c) ** 2,
    )


least_squares = lsgan(0.0, 1.0, 1.0)
"""Labels 0 and 1, the generator's 1. Mao et al. 2017, eq. 9."""

hinge = AdversarialLoss(
    d=lambda s_real, s_fake: relu(1 - s_real) + relu(1 + s_fake),
    g=lambda s_real, s_fake: -s_fake,
)
"""`d`: max(0, 1 - s_real) + max(0, 1 + s_fake), `g`: -s_fake.

Lim & Ye 2017, "Geometric GAN"; Miyato et al. 2018, "Spectral normalization for generative adversarial networks",
eq. 16 and 17."""

wasserstein = AdversarialLoss(d=lambda s_real, s_fake: s_fake - s_real, g=lambda s_real, s_fake: -s_fake)
"""`d`: s_fake - s_real, `g`: -s_fake; the critic must be kept Lipschitz by other means.

Arjovsky et al. 2017, "Wasserstein GAN", eq. 2."""
