"""Penalties as values for a game: `terms.r1(0.1)` is 0.1 times `penalties.r1` at the real examples.

Every function takes the weight first and returns a `Penalty`. Two calls that differ in the weight only return the same
term functions, so that one compiled program can serve both.
"""

from collections.abc import Callable
from functools import cache
from types import MappingProxyType

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from gan_jax.aliases import old_names
from gan_jax.augment.diff_augment import translation
from gan_jax.augment.transform import Transform
from gan_jax.engine.game import Keys, Player
from gan_jax.engine.keys import normal, split
from gan_jax.errors import BadInput
from gan_jax.penalties import consistency, gradient, weights
from gan_jax.penalties.consistency import Latent
from gan_jax.penalties.gradient import Deviation
from gan_jax.penalties.lecam import LeCam
from gan_jax.penalties.penalty import Penalty, Weight

__getattr__ = old_names(__name__)


def r1(weight: Weight) -> Penalty:
    """Builds `penalties.r1` at real examples; the weight is gamma (Mescheder et al. 2018: 10)."""
    return Penalty(_r1, weight=weight, name="r1")


def r2(weight: Weight) -> Penalty:
    """Builds `penalties.r2` at fake examples; the weight is gamma."""
    return Penalty(_r2, weight=weight, name="r2")


def gradient_penalty(weight: Weight, deviation: Deviation = gradient.two_sided) -> Penalty:
    """Builds `penalties.gradient_penalty` between real and fake; the weight is lambda (Gulrajani et al. 2017: 10)."""
    return Penalty(_gradient_penalty(deviation), weight=weight, name=_WORDS.get(deviation, ""))


def dragan(weight: Weight) -> Penalty:
    """Builds `penalties.dragan` around real examples; the weight is lambda (Kodali et al. 2017: 10)."""
    return Penalty(_dragan, weight=weight, name="dragan")


def max_gradient(weight: Weight) -> Penalty:
    """Builds `penalties.max_gradient` between real and fake; the weight is lambda."""
    return Penalty(_max_gradient, weight=weight, name="lgan_max_gp")


def moved(x: Float[Array, "B ..."], keys: Keys) -> Float[Array, "B ..."]:
    """Moves images `[B, H, W, C]` or videos by up to an eighth, as `augment.diff_augment.translation`.

    Raises:
        BadInput: the examples are neither.
    """
    if x.ndim not in (4, 5):
        raise BadInput(f"cr and bcr move images and videos, not examples of {x.shape[1:]}: choose another penalty")
    return translation(x, keys)


def cr(weight: Weight, transform: Transform = moved) -> Penalty:
    """Builds `penalties.cr` with `transform(x, keys)`; the weight is lambda (Zhang et al. 2020: 10)."""
    return Penalty(_cr(transform), weight=weight, name="cr" if transform is moved else "")


def bcr(weight: Weight, transform: Transform = moved) -> Penalty:
    """Builds `penalties.bcr` with `transform(x, keys)`; the weight is lambda (Zhao et al. 2021: 10)."""
    return Penalty(_bcr(transform), weight=weight, name="bcr" if transform is moved else "")


def zcr_d(weight: Weight, z_size: int, std: float) -> Penalty:
    """Builds `penalties.zcr_d` at its own latents `[B, z_size]`, with Gaussian `dz` of standard deviation `std`."""

    def d(nets, batch, x_fake, keys, step):
        return consistency.zcr_d(nets["d"].stateless, nets["g"].stateless, *_moved(keys, z_size, std))

    return Penalty(d, weight=weight)


def zcr_g(weight: Weight, z_size: int, std: float) -> Penalty:
    """Builds `penalties.zcr_g`, the generator's term that belongs to `zcr_d`."""

    def g(nets, batch, x_fake, keys, step):
        return consistency.zcr_g(nets["g"].stateless, *_moved(keys, z_size, std))

    return Penalty(g=g, weight=weight)


def lecam(weight: Weight, decay: float = 0.99) -> Penalty:
    """Builds `penalties.LeCam` on the scores of real and fake; a player "lecam" holds its running means.

    They start at 0, so the weight is often a schedule that starts late.
    """
    memory = MappingProxyType({"lecam": Player(LeCam(decay), optax.identity())})
    return Penalty(scores=_lecam, weight=weight, memory=memory, name="lecam" if decay == 0.99 else "")


def drift(weight: Weight) -> Penalty:
    """Builds the squared score of real examples, which keeps the scores of a Wasserstein critic near 0.

    The weight is epsilon (Karras et al. 2018, https://arxiv.org/abs/1710.10196, sec. A.1: 1e-3).
    """
    return Penalty(scores=_drift, weight=weight, name="drift")


def orthogonal(weight: Weight) -> Penalty:
    """Builds `penalties.orthogonal` of the discriminator; the weight is beta (Brock et al. 2019: 1e-4)."""
    return Penalty(_orthogonal, weight=weight, name="orthogonal")


_WORDS = {
    gradient.two_sided: "gradient_penalty",
    gradient.one_sided: "gradient_penalty_one_sided",
    gradient.zero_centered: "zero_gp",
}
"""The names of `gradient_penalty` by its deviation."""


@cache
def _gradient_penalty(deviation: Deviation) -> Callable:
    def d(nets, batch, x_fake, keys, step):
        return gradient.gradient_penalty(nets["d"].stateless, batch["x"], x_fake, keys, deviation)

    return d


@cache
def _cr(transform: Transform) -> Callable:
    def d(nets, batch, x_fake, keys, step):
        return consistency.cr(nets["d"].stateless, batch["x"], keys, transform)

    return d


@cache
def _bcr(transform: Transform) -> Callable:
    def d(nets, batch, x_fake, keys, step):
        return consistency.bcr(nets["d"].stateless, batch["x"], x_fake, keys, transform)

    return d


def _r1(nets, batch, x_fake, keys, step):
    return gradient.r1(nets["d"].stateless, batch["x"])


def _r2(nets, batch, x_fake, keys, step):
    return gradient.r2(nets["d"].stateless, x_fake)


def _dragan(nets, batch, x_fake, keys, step):
    return gradient.dragan(nets["d"].stateless, batch["x"], keys)


def _max_gradient(nets, batch, x_fake, keys, step):
    return gradient.max_gradient(nets["d"].stateless, batch["x"], x_fake, keys)


def _lecam(nets, s_real, s_fake, step):
    return nets["lecam"](s_real, s_fake)


def _drift(nets, s_real, s_fake, step):
    return jnp.square(s_real)


def _orthogonal(nets, batch, x_fake, keys, step):
    return weights.orthogonal(nets["d"].params)


def _moved(keys: Keys, z_size: int, std: float) -> tuple[Latent, Latent]:
    """Draws latents and their perturbations."""
    z_keys, dz_keys = split(keys, 2)
    return normal(z_keys, z_size), std * normal(dz_keys, z_size)
