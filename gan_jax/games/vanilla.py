"""The original GAN game, on any adversarial loss with any penalties.

Goodfellow et al. 2014, "Generative adversarial nets", Algorithm 1 (https://arxiv.org/abs/1406.2661).
"""

from collections.abc import Callable, Sequence

import jax.numpy as jnp
import optax

from gan_jax import losses
from gan_jax.engine.dynamics import Dynamics, gradient_play
from gan_jax.engine.game import Ema, Game, Move, Network, Player, Turn, move, turn
from gan_jax.engine.keys import split
from gan_jax.losses import AdversarialLoss
from gan_jax.penalties import Penalty, nothing, total
from gan_jax.priors import Normal

Turns = Callable[[Move, Move], tuple[Turn, ...]]
"""`turns(d, g)`: arranges the discriminator's move and the generator's in the turns of one step."""


def alternating(d: Move, g: Move, dynamics: Dynamics = gradient_play) -> tuple[Turn, ...]:
    """Arranges alternating play: the discriminator moves, then the generator against the updated discriminator."""
    return turn(d, dynamics=dynamics), turn(g, dynamics=dynamics)


def simultaneous(d: Move, g: Move, dynamics: Dynamics = gradient_play) -> tuple[Turn, ...]:
    """Arranges simultaneous play: both players move at once, by `dynamics` of their joint gradient field."""
    return (turn(d, g, dynamics=dynamics),)


def game(
    g: Network,
    d: Network,
    tx_g: optax.GradientTransformation,
    tx_d: optax.GradientTransformation,
    *,
    z_size: int = 100,
    loss: AdversarialLoss = losses.non_saturating,
    penalties: Sequence[Penalty] = (),
    turns: Turns = alternating,
    ema: Ema = 0.0,
) -> Game:
    """Builds the game of a generator against a discriminator.

        d: min  mean(loss.d(s_real, s_fake)) + penalties        g: min  mean(loss.g(s_real, s_fake)) + penalties
        s_real = d(x), s_fake = d(g(z))       z ~ N(0, I)

    Args:
        g: `g(z [B, Z]) -> x_fake [B, ...]`.
        d: `d(x [B, ...], keys [B]) -> scores [B]`; keys are for dropout.
        tx_g: the generator's optimizer.
        tx_d: the discriminator's optimizer.
        z_size: Z, the size of the standard normal latent.
        loss: the adversarial loss; by default the generator's is -log D(G(z)) (sec. 3).
        penalties: terms added to the loss of either player. Their critic has the dropout, and the draw of an
            augmentation (`games.augmented`), that the real examples get.
        turns: `alternating`, `simultaneous`, or a function: the paper's k discriminator steps are
            `lambda d, g: k * (turn(d),) + (turn(g),)`.
        ema: the generator's moving average (see `Player`), from which samples are drawn; 0 for none.
    """
    penalty, noise = total(penalties), Normal(z_size)

    def scores(nets, batch, keys, step):
        z_keys, real_keys, fake_keys, penalty_keys = split(keys, 4)
        x_fake = nets["g"](noise.draw(z_keys))
        s_real, s_fake = nets["d"](batch["x"], real_keys), nets["d"](x_fake, fake_keys)
        critic = nets["d"].wrap(lambda d, x: d(x, real_keys))
        return s_real, s_fake, ({**nets, "d": critic}, batch, x_fake, penalty_keys, step)

    def d_loss(nets, batch, keys, step):
        s_real, s_fake, penalized = scores(nets, batch, keys, step)
        added = penalty.d(*penalized, scores=(s_real, s_fake))
        report = {"penalty": added} if any((p.d, p.scores) != (nothing, nothing) for p in penalties) else {}
        now = loss.at(step)
        metrics = losses.score_metrics(s_real, s_fake, now.undecided)
        return jnp.mean(now.d(s_real, s_fake)) + added, metrics | report

    def g_loss(nets, batch, keys, step):
        s_real, s_fake, penalized = scores(nets, batch, keys, step)
        added = penalty.g(*penalized)
        report = {"penalty": added} if any(p.g is not nothing for p in penalties) else {}
        return jnp.mean(loss.at(step).g(s_real, s_fake)) + added, report

    return Game(
        players={"g": Player(g, tx_g, ema), "d": Player(d, tx_d), **penalty.memory},
        turns=turns(move(("d", *penalty.memory), d_loss, name="d"), move("g", g_loss)),
        prior={"z": noise},
        inputs=lambda batch, latents: {
            "g": (latents["z"],),
            "d": (batch["x"],),
            **{name: 2 * (jnp.zeros(batch["x"].shape[0]),) for name in penalty.memory},
        },
        sample=lambda nets, latents: nets["g"].ema(latents["z"]),
    )
