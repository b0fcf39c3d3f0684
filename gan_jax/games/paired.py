"""A generator that translates an input `a` to its target `x`, against a discriminator: pix2pix, SRGAN, enhancement.

Isola et al. 2017, "Image-to-image translation with conditional adversarial networks", eq. 4
(https://arxiv.org/abs/1611.07004); Ledig et al. 2017, "Photo-realistic single image super-resolution using a generative
adversarial network", eq. 3 (https://arxiv.org/abs/1609.04802). `regression` is the game of one player that both are
compared with, and with which SRGAN begins.
"""

from collections.abc import Callable

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from gan_jax import losses
from gan_jax.engine.game import Ema, Frozen, Game, Network, Player, move, turn
from gan_jax.engine.keys import split
from gan_jax.losses.adversarial import AdversarialLoss
from gan_jax.losses.reconstruction import squared_error
from gan_jax.priors import ExampleKeys

Distance = Callable[[Float[Array, "B ..."], Float[Array, "B ..."]], Float[Array, " B"]]
"""`distance(x, x_fake)` per example."""


def game(
    g: Network,
    d: Network,
    tx_g: optax.GradientTransformation,
    tx_d: optax.GradientTransformation,
    *,
    distance: Distance,
    distance_weight: float = 100.0,
    adversarial_weight: float = 1.0,
    conditional: bool = True,
    loss: AdversarialLoss = losses.non_saturating,
    features: Frozen | None = None,
    perceptual_weight: float = 0.006,
    ema: Ema = 0.0,
) -> Game:
    """Builds the game of a translator against a discriminator.

        d: min  mean(loss.d(s_real, s_fake))
        g: min  adversarial_weight mean(loss.g(s_real, s_fake)) + distance_weight mean(distance(x, g(a)))
                + perceptual_weight mean((features(x) - features(g(a)))^2)
        s_real = d(a, x), s_fake = d(a, g(a)); of an unconditional discriminator d(x) and d(g(a))

    Args:
        g: `g(a [B, ...], keys [B]) -> x_fake [B, ...]`; keys are for dropout, the only noise, when sampling too.
        d: `d(images [B, ...], keys [B]) -> scores [B, ...]`, of the whole image or of patches. A conditional one gets
            `a` and `x` as further channels of one image, so their sizes must be equal.
        tx_g: the generator's optimizer.
        tx_d: the discriminator's optimizer.
        distance: of a translation from its target; L1 in pix2pix.
        distance_weight: 100 in pix2pix with L1, 1 in SRGAN. With 0 the game is adversarial only.
        adversarial_weight: 1 in pix2pix, 0.001 in SRGAN.
        conditional: whether the discriminator sees the input, as in pix2pix; in SRGAN it does not.
        loss: the adversarial loss.
        features: `features(images [B, ...]) -> maps [B, ...]`, a pretrained network; None for no perceptual loss.
        perceptual_weight: of the squared distance of feature maps; in SRGAN 0.006, of layer 5,4 of VGG19.
        ema: the generator's moving average (see `Player`), from which samples are drawn; 0 for none.
    """

    def judged(a, x):
        return jnp.concatenate([a, x], axis=-1) if conditional else x

    def scores(nets, batch, keys):
        g_keys, real_keys, fake_keys = split(keys, 3)
        x_fake = nets["g"](batch["a"], g_keys)
        s_real = nets["d"](judged(batch["a"], batch["x"]), real_keys)
        s_fake = nets["d"](judged(batch["a"], x_fake), fake_keys)
        return x_fake, losses.flat(s_real), losses.flat(s_fake)

    def d_loss(nets, batch, keys, step):
        _, s_real, s_fake = scores(nets, batch, keys)
        now = loss.at(step)
        return jnp.mean(now.d(s_real, s_fake)), losses.score_metrics(s_real, s_fake, now.undecided)

    def g_loss(nets, batch, keys, step):
        x_fake, s_real, s_fake = scores(nets, batch, keys)
        apart = jnp.mean(distance(batch["x"], x_fake))
        fooled = jnp.mean(loss.at(step).g(s_real, s_fake))
        total = adversarial_weight * fooled + distance_weight * apart
        report = {"distance": apart, "adversarial": fooled}
        if features:
            unlike = jnp.mean(squared_error(nets["features"](batch["x"]), nets["features"](x_fake)))
            total, report = total + perceptual_weight * unlike, report | {"perceptual": unlike}
        return total, report

    return _translation(g, tx_g, ema)._replace(
        players={"g": Player(g, tx_g, ema), "d": Player(d, tx_d)},
        turns=(turn(move("d", d_loss)), turn(move("g", g_loss))),
        inputs=lambda batch, latents: {
            "g": (batch["a"], latents["keys"]),
            "d": (judged(batch["a"], batch["x"]),),
        },
        clock="d",
        frozen={"features": features} if features else {},
    )


def regression(g: Network, tx_g: optax.GradientTransformation, *, distance: Distance, ema: Ema = 0.0) -> Game:
    """Builds the game of the translator alone: `g: min mean(distance(x, g(a)))`.

    Its state has the names of `game`, whose generator continues from it as a later phase.
    """

    def g_loss(nets, batch, keys, step):
        return jnp.mean(distance(batch["x"], nets["g"](batch["a"], split(keys, 3)[0]))), {}

    return _translation(g, tx_g, ema)._replace(turns=(turn(move("g", g_loss)),))


def _translation(g: Network, tx_g: optax.GradientTransformation, ema: Ema) -> Game:
    """Builds the part that both games share: one generator, and how samples are drawn from it."""
    return Game(
        players={"g": Player(g, tx_g, ema)},
        turns=(),
        prior={"keys": ExampleKeys()},
        inputs=lambda batch, latents: {"g": (batch["a"], latents["keys"])},
        sample=lambda nets, latents: nets["g"].ema(latents["a"], latents["keys"]),
        clock="g",
        conditions=("a",),
    )
