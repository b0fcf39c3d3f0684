"""The original game. Goodfellow et al. 2014, "Generative adversarial nets", Algorithm 1."""

import jax.numpy as jnp
import optax

from gan_jax import losses
from gan_jax.game import Game, Network, Player, move, turn
from gan_jax.latents import normal, split
from gan_jax.losses import AdversarialLoss


def game(
    g: Network,
    d: Network,
    tx_g: optax.GradientTransformation,
    tx_d: optax.GradientTransformation,
    *,
    z_size: int = 100,
    loss: AdversarialLoss = losses.non_saturating,
    d_turns: int = 1,
    g_turns: int = 1,
    ema: float = 0.0,
) -> Game:
    """A generator against a discriminator, on any adversarial loss.

    Args:
        g: `g(z [B, Z]) -> x_fake [B, H, W, C]`.
        d: `d(x [B, H, W, C], keys [B]) -> scores [B]`; the keys are for dropout.
        tx_g: the generator's optimiser.
        tx_d: the discriminator's optimiser.
        z_size: Z, the length of the standard normal latent.
        loss: what each side descends, by default -log D(G(z)) for the generator (sec. 3).
        d_turns: discriminator turns in a step (the paper's k).
        g_turns: generator turns after them.
        ema: the decay of the generator's moving average, from which samples are drawn; 0 for none.
    """

    def scores(nets, batch, keys):
        z_keys, real_keys, fake_keys = split(keys, 3)
        x_fake = nets["g"](normal(z_keys, z_size))
        return nets["d"](batch["x"], real_keys), nets["d"](x_fake, fake_keys)

    def d_loss(nets, batch, keys, step):
        s_real, s_fake = scores(nets, batch, keys)
        return jnp.mean(loss.d(s_real, s_fake)), losses.score_metrics(s_real, s_fake)

    def g_loss(nets, batch, keys, step):
        return jnp.mean(loss.g(*scores(nets, batch, keys))), {}

    return Game(
        players={"g": Player(g, tx_g, ema), "d": Player(d, tx_d)},
        turns=d_turns * (turn(move("d", d_loss)),) + g_turns * (turn(move("g", g_loss)),),
        prior=lambda keys: {"z": normal(keys, z_size)},
        inputs=lambda batch, latents: {"g": (latents["z"],), "d": (batch["x"],)},
        sample=lambda nets, latents: nets["g"].slow(latents["z"]),
    )
