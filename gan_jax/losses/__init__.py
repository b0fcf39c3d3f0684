"""Adversarial losses: per example, on scores (logits), without reduction.

`s_real` and `s_fake` are `[B]`. An `AdversarialLoss` has two sides, `d(s_real, s_fake)` for the discriminator and
`g(s_real, s_fake)` for the generator; a loss of your own is two functions. All are finite, with their gradients, at
scores of 1e4. A loss that compares examples sees the whole batch where devices share it.
"""

from gan_jax.losses.adversarial import AdversarialLoss, Scores, score_metrics
from gan_jax.losses.classic import hinge, least_squares, lsgan, minimax, non_saturating, smoothed, wasserstein
from gan_jax.losses.f_gan import (
    Divergence,
    f_gan,
    f_gan_minimax,
    gan_divergence,
    jensen_shannon,
    kullback_leibler,
    pearson,
    reverse_kullback_leibler,
    squared_hellinger,
)
from gan_jax.losses.mmd import Kernel, cramer, gaussian, mmd, negative_distance, rational_quadratic
from gan_jax.losses.relativistic import relativistic_average, relativistic_paired
from gan_jax.losses.transforms import clamped, top_k

__all__ = [  # noqa: RUF022  in the order to read them
    # what a loss is
    "AdversarialLoss",
    "Scores",
    "score_metrics",
    # one score at a time
    "minimax",
    "non_saturating",
    "smoothed",
    "lsgan",
    "least_squares",
    "hinge",
    "wasserstein",
    # one f-divergence each
    "f_gan",
    "f_gan_minimax",
    "Divergence",
    "kullback_leibler",
    "reverse_kullback_leibler",
    "pearson",
    "squared_hellinger",
    "jensen_shannon",
    "gan_divergence",
    # real against fake
    "relativistic_paired",
    "relativistic_average",
    # sample against sample
    "mmd",
    "cramer",
    "Kernel",
    "gaussian",
    "rational_quadratic",
    "negative_distance",
    # a loss from a loss
    "clamped",
    "top_k",
]
