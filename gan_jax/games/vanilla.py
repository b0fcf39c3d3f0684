"""The original game. Goodfellow et al. 2014, "Generative adversarial nets", Algorithm 1."""

from collections.abc import Callable, Sequence

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from gan_jax import losses
from gan_jax.engine.dynamics import Dynamics, gradient_play
from gan_jax.engine.game import Game, Keys, Move, Network, Player, Turn, move, turn
from gan_jax.engine.keys import normal, split
from gan_jax.losses import AdversarialLoss
from gan_jax.penalties import Penalty, nothing, total

Turns = Callable[[Move, Move], tuple[Turn, ...]]
"""`turns(d, g)`: the turns of one step, made of the discriminator's move and the generator's."""

View = Callable[[Float[Array, "B ..."], Keys, Int[Array, ""]], Float[Array, "B ..."]]
"""`view(x, keys, step)`: how the discriminator gets to see an example, real or fake."""


def alternating(d: Move, g: Move, dynamics: Dynamics = gradient_play) -> tuple[Turn, ...]:
    """The discriminator, then the generator, who sees what has become of it."""
    return turn(d, dynamics=dynamics), turn(g, dynamics=dynamics)


def simultaneous(d: Move, g: Move, dynamics: Dynamics = gradient_play) -> tuple[Turn, ...]:
    """Both at once, by the dynamics of their joint field."""
    return (turn(d, g, dynamics=dynamics),)


def as_it_is(x: Float[Array, "B ..."], keys: Keys, step: Int[Array, ""]) -> Float[Array, "B ..."]:
    """The view that changes nothing."""
    return x


def game(
    g: Network,
    d: Network,
    tx_g: optax.GradientTransformation,
    tx_d: optax.GradientTransformation,
    *,
    z_size: int = 100,
    loss: AdversarialLoss = losses.non_saturating,
    penalties: Sequence[Penalty] = (),
    view: View = as_it_is,
    turns: Turns = alternating,
    ema: float = 0.0,
) -> Game:
    """A generator against a discriminator, on any adversarial loss with any penalties.

    Args:
        g: `g(z [B, Z]) -> x_fake [B, ...]`.
        d: `d(x [B, ...], keys [B]) -> scores [B]`; the keys are for dropout.
        tx_g: the generator's optimizer.
        tx_d: the discriminator's optimizer.
        z_size: Z, the length of the standard normal latent.
        loss: what each side descends, by default -log D(G(z)) for the generator (sec. 3).
        penalties: what each side descends besides.
        view: what is done to real and fake examples alike before the discriminator's adversarial loss sees them, such
            as instance noise or an augmentation.
        turns: who moves when, `alternating`, `simultaneous` or a function of one's own: the paper's k discriminator
            turns are `lambda d, g: k * (turn(d),) + (turn(g),)`.
        ema: the decay of the generator's moving average, from which samples are drawn; 0 for none.
    """
    penalty = total(penalties)

    def scores(nets, batch, keys, step):
        z_keys, real_keys, fake_keys, penalty_keys, real_view, fake_view = split(keys, 6)
        x_fake = nets["g"](normal(z_keys, z_size))
        s_real = nets["d"](view(batch["x"], real_view, step), real_keys)
        s_fake = nets["d"](view(x_fake, fake_view, step), fake_keys)
        return s_real, s_fake, x_fake, penalty_keys

    def d_loss(nets, batch, keys, step):
        s_real, s_fake, x_fake, penalty_keys = scores(nets, batch, keys, step)
        added = penalty.d(nets, batch, x_fake, penalty_keys, step)
        report = {"penalty": added} if any(p.d is not nothing for p in penalties) else {}
        return jnp.mean(loss.d(s_real, s_fake)) + added, losses.score_metrics(s_real, s_fake) | report

    def g_loss(nets, batch, keys, step):
        s_real, s_fake, x_fake, penalty_keys = scores(nets, batch, keys, step)
        added = penalty.g(nets, batch, x_fake, penalty_keys, step)
        report = {"penalty": added} if any(p.g is not nothing for p in penalties) else {}
        return jnp.mean(loss.g(s_real, s_fake)) + added, report

    return Game(
        players={"g": Player(g, tx_g, ema), "d": Player(d, tx_d), **penalty.memory},
        turns=turns(move(("d", *penalty.memory), d_loss, name="d"), move("g", g_loss)),
        prior=lambda keys: {"z": normal(keys, z_size)},
        inputs=lambda batch, latents: {
            "g": (latents["z"],),
            "d": (batch["x"],),
            **{name: 2 * (jnp.zeros(batch["x"].shape[0]),) for name in penalty.memory},
        },
        sample=lambda nets, latents: nets["g"].ema(latents["z"]),
    )
