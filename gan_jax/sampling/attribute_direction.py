"""Finds the direction of an attribute, which tells the samples that have most of it from those that have least.

Shen et al. 2020, "InterFaceGAN: interpreting the disentangled face representation learned by GANs", sec. 3,
https://arxiv.org/abs/2005.09635, with logistic regression in place of a support vector machine.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from gan_jax.errors import BadInput

WEIGHT = 1.0
"""Of the squared norm of the coefficients, of standardized latents, in the sum over samples."""

FEWEST = 40
"""Samples, of which ten have least of an attribute, ten have most, and a fifth of these is held out."""


class Normal(NamedTuple):
    """The normal of the plane that separates samples."""

    direction: Float[np.ndarray, " W"]
    accuracy: float
    """The share of held-out samples on their own side."""
    held_out: int


def attribute_direction(
    w: Float[np.ndarray, "N W"], values: Float[np.ndarray, " N"], labels: Int[np.ndarray, " N"]
) -> Normal:
    """Separates the quarter of the samples with the largest values from that with the smallest, in latent space.

    Values count from the mean of their label, which w does not decide: a one is thinner than a zero. Every fifth
    sample is held out.

    Raises:
        BadInput: the values do not differ, or there are fewer than `FEWEST`.
    """
    if len(values) < FEWEST:
        raise BadInput(f"{len(values)} samples are too few to find a direction: give {FEWEST} or more")
    for label in np.unique(labels):
        values = np.where(labels == label, values - values[labels == label].mean(), values)
    order, quarter = np.argsort(values, kind="stable"), len(values) // 4
    low, high = order[:quarter], order[-quarter:]
    if not values[high].min() - values[low].max() > 1e-9:
        raise BadInput("the samples have all as much of this attribute: choose another, or train the run for longer")
    chosen = np.stack([low, high], axis=1).ravel()
    mean, deviation = w.mean(axis=0), np.maximum(w.std(axis=0), 1e-12)
    x, y = (w[chosen] - mean) / deviation, np.arange(2 * quarter) % 2
    held_out = np.arange(len(x)) // 2 % 5 == 0
    *slopes, offset = logistic_regression(x[~held_out], y[~held_out])
    right = (x[held_out] @ slopes + offset > 0) == y[held_out]
    return Normal(np.asarray(slopes) / deviation, float(right.mean()), len(right))


def logistic_regression(
    x: Float[np.ndarray, "N W"], y: Int[np.ndarray, " N"], iterations: int = 30
) -> Float[np.ndarray, " W+1"]:
    """Fits P(y = 1 | x) = 1 / (1 + exp(-(a x + b))) by Newton's method; returns a and b.

    Minimizes the sum over samples of -log P(y | x), plus `WEIGHT` / 2 |a|^2, without which samples that a plane
    separates have no solution.
    """
    x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    ridge = np.diag([WEIGHT] * (x.shape[1] - 1) + [1e-9])
    fitted = np.zeros(x.shape[1])
    for _ in range(iterations):
        p = 0.5 * (1 + np.tanh(0.5 * x @ fitted))  # unlike 1 / (1 + exp), without overflow
        hessian = x.T @ (x * (p * (1 - p))[:, None]) + ridge
        fitted = fitted - np.linalg.solve(hessian, x.T @ (p - y) + ridge @ fitted)
    return fitted
