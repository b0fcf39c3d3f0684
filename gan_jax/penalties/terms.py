"""The penalties as values for a game: `terms.r1(0.1)` is 0.1 times `penalties.r1` at the real examples.

Every function takes the weight first and returns a `Penalty`. The terms that take nothing but a weight are functions
of the module, so that two penalties of one kind are equal but for their weights.
"""

from types import MappingProxyType

import optax

from gan_jax.engine.game import Keys, Player
from gan_jax.engine.keys import normal, split
from gan_jax.penalties import consistency, gradient, weights
from gan_jax.penalties.consistency import Latent, Transform
from gan_jax.penalties.gradient import Deviation
from gan_jax.penalties.lecam import LeCam
from gan_jax.penalties.penalty import Penalty, Weight


def r1(weight: Weight) -> Penalty:
    """`penalties.r1` on real examples; the weight is gamma (Mescheder et al. 2018: 10)."""
    return Penalty(_r1, weight=weight)


def r2(weight: Weight) -> Penalty:
    """`penalties.r2` on fake examples; the weight is gamma."""
    return Penalty(_r2, weight=weight)


def gradient_penalty(weight: Weight, deviation: Deviation = gradient.two_sided) -> Penalty:
    """`penalties.gradient_penalty` between real and fake; the weight is lambda (Gulrajani et al. 2017: 10)."""

    def d(nets, batch, x_fake, keys, step):
        return gradient.gradient_penalty(nets["d"].stateless, batch["x"], x_fake, keys, deviation)

    return Penalty(d, weight=weight)


def dragan(weight: Weight) -> Penalty:
    """`penalties.dragan` around real examples; the weight is lambda (Kodali et al. 2017: 10)."""
    return Penalty(_dragan, weight=weight)


def max_gradient(weight: Weight) -> Penalty:
    """`penalties.max_gradient` between real and fake; the weight is lambda."""
    return Penalty(_max_gradient, weight=weight)


def cr(weight: Weight, transform: Transform) -> Penalty:
    """`penalties.cr` under `transform(x, keys)`; the weight is lambda (Zhang et al. 2020: 10)."""

    def d(nets, batch, x_fake, keys, step):
        return consistency.cr(nets["d"].stateless, batch["x"], keys, transform)

    return Penalty(d, weight=weight)


def bcr(weight: Weight, transform: Transform) -> Penalty:
    """`penalties.bcr` under `transform(x, keys)`; the weight is lambda (Zhao et al. 2021: 10)."""

    def d(nets, batch, x_fake, keys, step):
        return consistency.bcr(nets["d"].stateless, batch["x"], x_fake, keys, transform)

    return Penalty(d, weight=weight)


def zcr_d(weight: Weight, z_size: int, std: float) -> Penalty:
    """`penalties.zcr_d` at latents `[B, z_size]` of its own, moved by Gaussian noise of standard deviation `std`."""

    def d(nets, batch, x_fake, keys, step):
        return consistency.zcr_d(nets["d"].stateless, nets["g"].stateless, *_moved(keys, z_size, std))

    return Penalty(d, weight=weight)


def zcr_g(weight: Weight, z_size: int, std: float) -> Penalty:
    """`penalties.zcr_g`, the generator's side of `zcr_d`, with a weight of its own."""

    def g(nets, batch, x_fake, keys, step):
        return consistency.zcr_g(nets["g"].stateless, *_moved(keys, z_size, std))

    return Penalty(g=g, weight=weight)


def lecam(weight: Weight, decay: float = 0.99) -> Penalty:
    """`penalties.LeCam` on the scores of real and fake, remembered by a player "lecam".

    The running means begin at 0, so the weight is often a schedule that begins late.
    """

    def d(nets, batch, x_fake, keys, step):
        return nets["lecam"](nets["d"].stateless(batch["x"]), nets["d"].stateless(x_fake))

    memory = MappingProxyType({"lecam": Player(LeCam(decay), optax.identity())})
    return Penalty(d, weight=weight, memory=memory)


def orthogonal(weight: Weight) -> Penalty:
    """`penalties.orthogonal` of the discriminator; the weight is beta (Brock et al. 2019: 1e-4)."""
    return Penalty(_orthogonal, weight=weight)


def _r1(nets, batch, x_fake, keys, step):
    return gradient.r1(nets["d"].stateless, batch["x"])


def _r2(nets, batch, x_fake, keys, step):
    return gradient.r2(nets["d"].stateless, x_fake)


def _dragan(nets, batch, x_fake, keys, step):
    return gradient.dragan(nets["d"].stateless, batch["x"], keys)


def _max_gradient(nets, batch, x_fake, keys, step):
    return gradient.max_gradient(nets["d"].stateless, batch["x"], x_fake, keys)


def _orthogonal(nets, batch, x_fake, keys, step):
    return weights.orthogonal(nets["d"].params)


def _moved(keys: Keys, z_size: int, std: float) -> tuple[Latent, Latent]:
    """Latents, and how far each is moved."""
    z_keys, dz_keys = split(keys, 2)
    return normal(z_keys, z_size), std * normal(dz_keys, z_size)
