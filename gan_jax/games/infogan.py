"""InfoGAN: maximizes the mutual information between latent codes and generated images.

Chen et al. 2016, "InfoGAN: interpretable representation learning by information maximizing generative adversarial
nets", eq. 5 and 6 (https://arxiv.org/abs/1606.03657).
"""

import math
from collections.abc import Mapping

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Shaped

from gan_jax import losses, priors
from gan_jax.engine.game import Ema, Game, Network, Player, move, turn
from gan_jax.engine.keys import split
from gan_jax.losses import AdversarialLoss
from gan_jax.priors import Categorical, Code, Normal


def log_posterior(code: Code, c: Shaped[Array, " B"], params: Float[Array, "B K"]) -> Float[Array, " B"]:
    """Computes log Q(c | x) (appendix C).

    Q of a categorical code has logits `params` `[B, classes]`; of a continuous one it is a Gaussian of mean and log
    standard deviation `params` `[B, 2]`.
    """
    if isinstance(code, Categorical):
        return -optax.softmax_cross_entropy_with_integer_labels(params, c)
    mean, log_std = params[:, 0], params[:, 1]
    return -0.5 * jnp.square((c - mean) * jnp.exp(-log_std)) - log_std - 0.5 * math.log(2 * math.pi)


def entropy(code: Code) -> float:
    """Computes the prior entropy H(c) in nats; differential for a continuous code, so it may be negative."""
    return math.log(code.classes if isinstance(code, Categorical) else code.high - code.low)


def game(
    g: Network,
    d: Network,
    tx_g: optax.GradientTransformation,
    tx_d: optax.GradientTransformation,
    *,
    codes: Mapping[str, Code],
    z_size: int = 62,
    lambda_categorical: float = 1.0,
    lambda_continuous: float = 1.0,
    loss: AdversarialLoss = losses.non_saturating,
    ema: Ema = 0.0,
) -> Game:
    """Builds the game: min over G and Q, max over D, of V(D, G) - lambda L_I(G, Q), with L_I <= I(c; G(z, c)).

        L_I = E[log Q(c | G(z, c))] + H(c)

    Q shares layers with D; both are the player "d". As in the authors' program, L_I is in the loss of both moves: the
    discriminator's trains the shared layers with it. The metric `info_<code>` is that code's L_I in nats, at most H(c)
    for a categorical code.

    Args:
        g: `g(z [B, Z], c {name: [B]}) -> x_fake [B, ...]`.
        d: `d(x [B, ...], keys [B]) -> (scores [B], posterior params {name: [B, K]})`, as in `log_posterior`; keys are
            for dropout.
        tx_g: the generator's optimizer.
        tx_d: the optimizer of D and Q.
        codes: the independent codes by name: `{"c1": Categorical(10), "c2": Uniform()}`.
        z_size: Z, the size of the standard normal latent beside the codes.
        lambda_categorical: lambda of categorical codes; 1 in the paper (sec. 6).
        lambda_continuous: lambda of continuous codes; keep it small if Q learns the standard deviation, for L_I is then
            unbounded (sec. 6).
        loss: the adversarial loss, in place of V.
        ema: the generator's moving average (see `Player`), from which samples are drawn; 0 for none.
    """

    prior = {"z": Normal(z_size), **codes}

    def generate(g, latents):
        return g(latents["z"], {name: latents[name] for name in codes})

    def scores_and_information(nets, batch, keys):
        latent_keys, real_keys, fake_keys = split(keys, 3)
        latents = priors.draw(prior, latent_keys)
        s_real, _ = nets["d"](batch["x"], real_keys)
        s_fake, params = nets["d"](generate(nets["g"], latents), fake_keys)
        information = {
            name: jnp.mean(log_posterior(code, latents[name], params[name])) + entropy(code)
            for name, code in codes.items()
        }
        return (s_real, s_fake), information

    def weighted(information):
        return sum(
            (lambda_categorical if isinstance(code, Categorical) else lambda_continuous) * information[name]
            for name, code in codes.items()
        )

    def report(information):
        return {f"info_{name}": value for name, value in information.items()}

    def d_loss(nets, batch, keys, step):
        scores, information = scores_and_information(nets, batch, keys)
        metrics = losses.score_metrics(*scores, loss.at(step).undecided) | report(information)
        return jnp.mean(loss.at(step).d(*scores)) - weighted(information), metrics

    def g_loss(nets, batch, keys, step):
        scores, information = scores_and_information(nets, batch, keys)
        return jnp.mean(loss.at(step).g(*scores)) - weighted(information), report(information)

    return Game(
        players={"g": Player(g, tx_g, ema), "d": Player(d, tx_d)},
        turns=(turn(move("d", d_loss)), turn(move("g", g_loss))),
        prior=prior,
        inputs=lambda batch, latents: {
            "g": (latents["z"], {name: latents[name] for name in codes}),
            "d": (batch["x"],),
        },
        sample=lambda nets, latents: generate(nets["g"].ema, latents),
    )
