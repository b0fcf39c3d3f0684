"""DVD-GAN: a generator of videos against two discriminators, of single frames and of motion.

Clark, Donahue and Simonyan 2019, "Adversarial video generation on complex datasets", sec. 3
(https://arxiv.org/abs/1907.06571). The networks decide what each discriminator sees (`nets.dvdgan`).
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import optax

from gan_jax import losses
from gan_jax.engine.game import Ema, Game, Network, Player, move, turn
from gan_jax.engine.keys import split
from gan_jax.losses import AdversarialLoss
from gan_jax.losses.reconstruction import squared_error
from gan_jax.priors import Categorical, Normal


def game(
    g: Network,
    ds: Mapping[str, Network],
    tx_g: optax.GradientTransformation,
    tx_d: optax.GradientTransformation,
    *,
    z_size: int = 120,
    classes: int = 0,
    conditions: tuple[str, ...] = (),
    distance_weight: float = 0.0,
    loss: AdversarialLoss = losses.hinge,
    n_critic: int = 2,
    ema: Ema = 0.0,
) -> Game:
    """Builds the game of a generator against any number of discriminators.

        d in ds: min  mean(loss.d(d(x, y), d(x_fake, y)))       x_fake = g(z, y, conditions)        z ~ N(0, I)
        g:       min  sum over ds of mean(loss.g(d(x, y), d(x_fake, y))) + distance_weight mean((x - x_fake)^2)

    The discriminators are one move, with the same examples; its metrics are means over them, and those of each. Without
    any, the generator learns from the distance alone.

    Args:
        g: `g(z [B, Z], y, *conditions) -> x_fake [B, ...]`.
        ds: discriminators by the names of their players, `d(x [B, ...], y, keys [B]) -> scores [B]`.
        tx_g: the generator's optimizer.
        tx_d: the discriminators' optimizer.
        z_size: Z, the size of the standard normal latent.
        classes: number of labels `y [B]`, those of the real batch in training; with 0, `y` is None.
        conditions: names of the arrays of the batch that the generator takes, such as the first frames `a`.
        distance_weight: of the squared error, for a generator that predicts x.
        loss: hinge in the paper.
        n_critic: turns of the discriminators per turn of the generator; 2 in the paper.
        ema: the generator's moving average (see `Player`), from which samples are drawn; 0 for none.
    """
    noise = Normal(z_size)

    def label(arrays):
        return arrays["y"] if classes else None

    def given(arrays):
        return tuple(arrays[name] for name in conditions)

    def generate(nets, batch, keys):
        z_keys, real_keys, fake_keys = split(keys, 3)
        return nets["g"](noise.draw(z_keys), label(batch), *given(batch)), (real_keys, fake_keys)

    def scores(d, batch, x_fake, keys):
        return tuple(d(x, label(batch), own) for x, own in zip((batch["x"], x_fake), keys, strict=True))

    def d_loss(nets, batch, keys, step):
        x_fake, keys = generate(nets, batch, keys)
        now, total, reports = loss.at(step), jnp.zeros(()), {}
        for name in ds:
            s_real, s_fake = scores(nets[name], batch, x_fake, keys)
            total += jnp.mean(now.d(s_real, s_fake))
            reports[name] = losses.score_metrics(s_real, s_fake, now.undecided)
        means = jax.tree.map(lambda *each: sum(each) / len(each), *reports.values())
        return total, means | {f"{metric}_{name}": own[metric] for name, own in reports.items() for metric in own}

    def g_loss(nets, batch, keys, step):
        x_fake, keys = generate(nets, batch, keys)
        report = {name: jnp.mean(loss.at(step).g(*scores(nets[name], batch, x_fake, keys))) for name in ds}
        total = sum(report.values(), jnp.zeros(()))
        if distance_weight:
            report["distance"] = jnp.mean(squared_error(batch["x"], x_fake))
            total += distance_weight * report["distance"]
        return total, report

    return Game(
        players={"g": Player(g, tx_g, ema), **{name: Player(d, tx_d) for name, d in ds.items()}},
        turns=(*(n_critic * (turn(move(tuple(ds), d_loss, name="d")),) if ds else ()), turn(move("g", g_loss))),
        prior={"z": noise} | ({"y": Categorical(classes)} if classes else {}),
        inputs=lambda batch, latents: {
            "g": (latents["z"], label(latents), *given(latents)),
            **dict.fromkeys(ds, (batch["x"], label(batch))),
        },
        sample=lambda nets, latents: nets["g"].ema(latents["z"], label(latents), *given(latents)),
        clock=next(iter(ds), "g"),
        conditions=conditions,
    )
