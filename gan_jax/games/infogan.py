"""A generator whose codes can be read off its images. Chen et al. 2016, "InfoGAN: interpretable representation
learning by information maximizing generative adversarial nets", eq. 5 and 6."""

import math
from collections.abc import Mapping

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Shaped

from gan_jax import losses
from gan_jax.engine import priors as latent_codes
from gan_jax.engine.game import Game, Network, Player, move, turn
from gan_jax.engine.keys import normal, split
from gan_jax.engine.priors import Categorical, Code
from gan_jax.losses import AdversarialLoss


def log_posterior(code: Code, c: Shaped[Array, " B"], guess: Float[Array, "B K"]) -> Float[Array, " B"]:
    """log Q(c | x): of a class by its logits `guess` `[B, classes]`, of a number by a Gaussian (appendix C).

    The Gaussian's mean and the logarithm of its standard deviation are `guess` `[B, 2]`.
    """
    if isinstance(code, Categorical):
        return -optax.softmax_cross_entropy_with_integer_labels(guess, c)
    mean, log_std = guess[:, 0], guess[:, 1]
    return -0.5 * jnp.square((c - mean) * jnp.exp(-log_std)) - log_std - 0.5 * math.log(2 * math.pi)


def entropy(code: Code) -> float:
    """H(c) of the prior, in nats; a number's is differential, and below 0 where its range is shorter than 1."""
    return math.log(code.classes if isinstance(code, Categorical) else code.high - code.low)


def game(
    g: Network,
    d: Network,
    tx_g: optax.GradientTransformation,
    tx_d: optax.GradientTransformation,
    *,
    codes: Mapping[str, Code],
    z_size: int = 62,
    weight: float = 1.0,
    number_weight: float = 1.0,
    loss: AdversarialLoss = losses.non_saturating,
    ema: float = 0.0,
) -> Game:
    """min over G and Q, max over D, of V(D, G) - lambda L_I(G, Q), where L_I bounds I(c; G(z, c)) from below.

    Q shares its layers with D, and both are the player "d". As in the authors' program L_I is in the loss of either
    move: the generator's turn makes images from which codes can be read, the discriminator's improves the reading, by
    the shared layers too. `info_<code>` in the metrics is that code's L_I in nats; of a class it is at most H(c).

    Args:
        g: `g(z [B, Z], c {name: [B]}) -> x_fake [B, ...]`.
        d: `d(x [B, ...], keys [B]) -> (scores [B], guesses {name: [B, K]})`, a guess as `log_posterior` takes it; the
            keys are for dropout.
        tx_g: the generator's optimizer.
        tx_d: that of the discriminator and Q.
        codes: the code's parts, independent of each other, by name: `{"c1": Categorical(10), "c2": Uniform()}`.
        z_size: Z, the length of the standard normal latent that nothing is to be read from.
        weight: lambda of the parts that are classes; the paper's is 1 (sec. 6).
        number_weight: lambda of those that are numbers. Where Q learns how sure it is, their bound has no ceiling,
            and the weight is to be small (sec. 6).
        loss: what is descended in place of V.
        ema: the decay of the generator's moving average, from which samples are drawn; 0 for none.
    """

    def prior(keys):
        return {"z": normal(keys, z_size), **latent_codes.draw(codes, keys)}

    def generated(g, latents):
        return g(latents["z"], {name: latents[name] for name in codes})

    def scores_and_information(nets, batch, keys):
        latent_keys, real_keys, fake_keys = split(keys, 3)
        latents = prior(latent_keys)
        s_real, _ = nets["d"](batch["x"], real_keys)
        s_fake, guesses = nets["d"](generated(nets["g"], latents), fake_keys)
        information = {
            name: jnp.mean(log_posterior(code, latents[name], guesses[name])) + entropy(code)
            for name, code in codes.items()
        }
        return (s_real, s_fake), information

    def weighted(information):
        lambdas = {name: weight if isinstance(code, Categorical) else number_weight for name, code in codes.items()}
        return sum(lambdas[name] * information[name] for name in codes)

    def report(information):
        return {f"info_{name}": value for name, value in information.items()}

    def d_loss(nets, batch, keys, step):
        scores, information = scores_and_information(nets, batch, keys)
        metrics = losses.score_metrics(*scores) | report(information)
        return jnp.mean(loss.d(*scores)) - weighted(information), metrics

    def g_loss(nets, batch, keys, step):
        scores, information = scores_and_information(nets, batch, keys)
        return jnp.mean(loss.g(*scores)) - weighted(information), report(information)

    return Game(
        players={"g": Player(g, tx_g, ema), "d": Player(d, tx_d)},
        turns=(turn(move("d", d_loss)), turn(move("g", g_loss))),
        prior=prior,
        inputs=lambda batch, latents: {
            "g": (latents["z"], {name: latents[name] for name in codes}),
            "d": (batch["x"],),
        },
        sample=lambda nets, latents: generated(nets["g"].ema, latents),
        codes=codes,
    )
