"""Adversarial losses: per example, on scores (logits), without reduction.

`s_real` and `s_fake` are `[B]`. An `AdversarialLoss` is a pair of functions: `d(s_real, s_fake)` for the discriminator,
`g(s_real, s_fake)` for the generator. All are finite, with their gradients, at scores of 1e4. A loss that compares
examples uses the whole batch, also where devices share it. May import `engine` and `errors`.
"""

from gan_jax.aliases import old_names
from gan_jax.losses.adversarial import AdversarialLoss, Scores, flat, score_metrics
from gan_jax.losses.classic import hinge, label_smoothing, least_squares, lsgan, minimax, non_saturating, wasserstein
from gan_jax.losses.f_gan import (
    Divergence,
    f_gan,
    gan_divergence,
    jensen_shannon,
    kullback_leibler,
    pearson,
    reverse_kullback_leibler,
    squared_hellinger,
)
from gan_jax.losses.mmd import (
    Kernel,
    cramer,
    gaussian,
    mmd,
    mmd_gaussian,
    mmd_rational_quadratic,
    negative_distance,
    rational_quadratic,
)
from gan_jax.losses.relativistic import relativistic_average, relativistic_paired
from gan_jax.losses.transforms import scheduled, summed, top_k

__getattr__ = old_names(__name__)

__all__ = [
    "AdversarialLoss",
    "Divergence",
    "Kernel",
    "Scores",
    "cramer",
    "f_gan",
    "flat",
    "gan_divergence",
    "gaussian",
    "hinge",
    "jensen_shannon",
    "kullback_leibler",
    "label_smoothing",
    "least_squares",
    "lsgan",
    "minimax",
    "mmd",
    "mmd_gaussian",
    "mmd_rational_quadratic",
    "negative_distance",
    "non_saturating",
    "pearson",
    "rational_quadratic",
    "relativistic_average",
    "relativistic_paired",
    "reverse_kullback_leibler",
    "scheduled",
    "score_metrics",
    "squared_hellinger",
    "summed",
    "top_k",
    "wasserstein",
]
