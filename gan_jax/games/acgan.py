"""ACGAN: the discriminator also classifies, and the generator is rewarded for images of the right class.

Odena et al. 2017, "Conditional image synthesis with auxiliary classifier GANs", eq. 2 and 3
(https://arxiv.org/abs/1610.09585).
"""

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from gan_jax import losses, priors
from gan_jax.engine.game import Ema, Game, Network, Player, move, turn
from gan_jax.engine.keys import split
from gan_jax.losses import AdversarialLoss
from gan_jax.priors import Categorical, Normal

Classes = Int[Array, " B"]
Logits = Float[Array, "B K"]


def log_likelihood(logits: Logits, y: Classes) -> Float[Array, ""]:
    """Computes E[log P(C = y | X)]; L_C (eq. 3) is the sum of this for real and for fake images."""
    return -jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, y))


def class_accuracy(logits: Logits, y: Classes) -> Float[Array, ""]:
    """Computes the fraction of images classified as `y`."""
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
    ema: Ema = 0.0,
) -> Game:
    """Builds the game: D maximizes L_S + L_C and G maximizes L_C - L_S, the likelihoods of source and class.

    Only the generator takes a label. Fake labels are uniform and independent of the real batch. The generator's loss
    leaves out L_C of the real images, which does not depend on the generator.

    Args:
        g: `g(z [B, Z], y [B]) -> x_fake [B, ...]`.
        d: `d(x [B, ...], keys [B]) -> (scores [B], class logits [B, classes])`; keys are for dropout.
        tx_g: the generator's optimizer.
        tx_d: the discriminator's optimizer.
        classes: number of labels, 0, 1, ...
        z_size: Z, the size of the standard normal latent.
        weight: of L_C; 1 in the paper.
        loss: the adversarial loss; `losses.minimax` is eq. 2 exactly, the default avoids the generator's vanishing
            gradient.
        ema: the generator's moving average (see `Player`), from which samples are drawn; 0 for none.
    """
    prior = {"z": Normal(z_size), "y": Categorical(classes)}

    def classify(nets, batch, keys):
        latent_keys, real_keys, fake_keys = split(keys, 3)
        latents = priors.draw(prior, latent_keys)
        x_fake = nets["g"](latents["z"], latents["y"])
        s_real, logits_real = nets["d"](batch["x"], real_keys)
        s_fake, logits_fake = nets["d"](x_fake, fake_keys)
        return (s_real, s_fake), (logits_real, batch["y"]), (logits_fake, latents["y"])

    def d_loss(nets, batch, keys, step):
        scores, real, fake = classify(nets, batch, keys)
        l_c = log_likelihood(*real) + log_likelihood(*fake)
        accuracies = {"class_accuracy_real": class_accuracy(*real), "class_accuracy_fake": class_accuracy(*fake)}
        metrics = losses.score_metrics(*scores, loss.at(step).undecided) | accuracies
        return jnp.mean(loss.at(step).d(*scores)) - weight * l_c, metrics

    def g_loss(nets, batch, keys, step):
        scores, _, fake = classify(nets, batch, keys)
        return jnp.mean(loss.at(step).g(*scores)) - weight * log_likelihood(*fake), {}

    return Game(
        players={"g": Player(g, tx_g, ema), "d": Player(d, tx_d)},
        turns=(turn(move("d", d_loss)), turn(move("g", g_loss))),
        prior=prior,
        inputs=lambda batch, latents: {"g": (latents["z"], latents["y"]), "d": (batch["x"],)},
        sample=lambda nets, latents: nets["g"].ema(latents["z"], latents["y"]),
    )
