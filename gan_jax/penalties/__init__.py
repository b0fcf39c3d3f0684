"""Penalties added to an adversarial loss: pure functions of any `critic(x [B, ...]) -> [B]`, per example.

`r1`, `gradient_penalty`, `cr` and the others here are formulas to call in a loss. `terms.r1(0.1)` is the same formula
as a `Penalty` to pass to a game, and `total` sums such values. May import `engine`, `losses`, `augment` and `errors`.
"""

from gan_jax.aliases import old_names
from gan_jax.augment.instance_noise import instance_noise
from gan_jax.penalties import terms
from gan_jax.penalties.consistency import bcr, cr, zcr_d, zcr_g
from gan_jax.penalties.gradient import (
    dragan,
    gradient_penalty,
    max_gradient,
    one_sided,
    r1,
    r2,
    squared_gradient_norm,
    two_sided,
    zero_centered,
)
from gan_jax.penalties.lazy import lazy, lazy_adam
from gan_jax.penalties.lecam import LeCam
from gan_jax.penalties.path_length import PathLength, path_lengths
from gan_jax.penalties.penalty import Penalty, for_players, nothing, total, weight_at
from gan_jax.penalties.weights import clip_weights, orthogonal

__getattr__ = old_names(__name__)

__all__ = [
    "LeCam",
    "PathLength",
    "Penalty",
    "bcr",
    "clip_weights",
    "cr",
    "dragan",
    "for_players",
    "gradient_penalty",
    "instance_noise",
    "lazy",
    "lazy_adam",
    "max_gradient",
    "nothing",
    "one_sided",
    "orthogonal",
    "path_lengths",
    "r1",
    "r2",
    "squared_gradient_norm",
    "terms",
    "total",
    "two_sided",
    "weight_at",
    "zcr_d",
    "zcr_g",
    "zero_centered",
]
