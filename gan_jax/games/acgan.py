"""A discriminator that also recognizes classes. Odena et al. 2017, "Conditional image synthesis with auxiliary
classifier GANs", eq. 2 and 3."""

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from gan_jax import losses
from gan_jax.engine import priors
from gan_jax.engine.game import Game, Network, Player, move, turn
from gan_jax.engine.keys import normal, split
from gan_jax.engine.priors import Categorical
from gan_jax.losses import AdversarialLoss

Classes = Int[Array, " B"]
Logits = Float[Array, "B K"]


def log_likelihood(logits: Logits, y: Classes) -> Float[Array, ""]:
    """E[log P(C = y | X)], of which eq. 3 has one for real images and one for fake ones."""
    return -jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, y))


def class_accuracy(logits: Logits, y: Classes) -> Float[Array, ""]:
    """The share of images whose class is recognised."""
    return jnp.mean(jnp.argmax(logits, axis=1) == y, dtype=jnp.float32)


def game(
    g: Network,
    d: Network,
    tx_g: optax.GradientTransformation,
    tx_d: optax.GradientTransformation,
    *,
    classes: int,
    z_size: int = 100,
    weight: float = 1.0,
    loss: AdversarialLoss = losses.non_saturating,
    ema: float = 0.0,
) -> Game:
    """Both players raise L_C, the likelihood of the right classes; L_S, of the right source, is what they fight about.

    The discriminator maximises L_S + L_C and the generator L_C - L_S. Nobody is told a label but the generator, whose
    classes in training are drawn evenly, whatever the real batch holds. L_C of real images does not move it.

    Args:
        g: `g(z [B, Z], y [B]) -> x_fake [B, ...]`.
        d: `d(x [B, ...], keys [B]) -> (scores [B], class logits [B, classes])`; the keys are for dropout.
        tx_g: the generator's optimizer.
        tx_d: the discriminator's optimizer.
        classes: how many labels there are, 0, 1, ...
        z_size: Z, the length of the standard normal latent.
        weight: of L_C; the paper's is 1.
        loss: what is descended in place of -L_S and L_S: `losses.minimax` is eq. 2 to the letter, and the default the
            generator's way out of its vanishing gradient.
        ema: the decay of the generator's moving average, from which samples are drawn; 0 for none.
    """
    labels = {"y": Categorical(classes)}

    def prior(keys):
        return {"z": normal(keys, z_size), **priors.draw(labels, keys)}

    def recognised(nets, batch, keys):
        latent_keys, real_keys, fake_keys = split(keys, 3)
        latents = prior(latent_keys)
        x_fake = nets["g"](latents["z"], latents["y"])
        s_real, logits_real = nets["d"](batch["x"], real_keys)
        s_fake, logits_fake = nets["d"](x_fake, fake_keys)
        return (s_real, s_fake), (logits_real, batch["y"]), (logits_fake, latents["y"])

    def d_loss(nets, batch, keys, step):
        scores, real, fake = recognised(nets, batch, keys)
        l_c = log_likelihood(*real) + log_likelihood(*fake)
        accuracies = {"class_accuracy_real": class_accuracy(*real), "class_accuracy_fake": class_accuracy(*fake)}
        return jnp.mean(loss.d(*scores)) - weight * l_c, losses.score_metrics(*scores) | accuracies

    def g_loss(nets, batch, keys, step):
        scores, _, fake = recognised(nets, batch, keys)
        return jnp.mean(loss.g(*scores)) - weight * log_likelihood(*fake), {}

    return Game(
        players={"g": Player(g, tx_g, ema), "d": Player(d, tx_d)},
        turns=(turn(move("d", d_loss)), turn(move("g", g_loss))),
        prior=prior,
        inputs=lambda batch, latents: {"g": (latents["z"], latents["y"]), "d": (batch["x"],)},
        sample=lambda nets, latents: nets["g"].ema(latents["z"], latents["y"]),
        codes=labels,
    )
