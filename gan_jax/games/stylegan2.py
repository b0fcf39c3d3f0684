"""StyleGAN2: mixed styles, lazy R1, and path length regularization.

Karras et al. 2020, "Analyzing and improving the image quality of StyleGAN", sec. 3 and app. B
(https://arxiv.org/abs/1912.04958); mixing is from Karras et al. 2019, sec. 3.1 (https://arxiv.org/abs/1812.04948).
"""

import math

import jax
import jax.numpy as jnp
import optax

from gan_jax import losses, penalties
from gan_jax.engine.game import Ema, Game, Keys, Network, Player, move, turn
from gan_jax.engine.keys import normal, split, uniform
from gan_jax.nets.stylegan2 import LayerLatents
from gan_jax.penalties import PathLength, lazy, path_lengths
from gan_jax.priors import ExampleKeys, LatentSpace, Normal


def mix(first: LayerLatents, second: LayerLatents, keys: Keys, probability: float) -> LayerLatents:
    """Takes the layers before a crossover from `first`, the others from `second`.

    Every example has a crossover of its own, with this probability; it is uniform, and both have at least one layer.
    """
    layers = first.shape[1]
    whether, where = split(keys, 2)
    crossover = 1 + jnp.floor((layers - 1) * uniform(where))
    crossover = jnp.where(uniform(whether) < probability, crossover, layers)
    before = jnp.arange(layers, dtype=jnp.float32)[None] < crossover[:, None]
    return jnp.where(before[..., None], first, second)


def game(
    g: Network,
    d: Network,
    tx_g: optax.GradientTransformation,
    tx_d: optax.GradientTransformation,
    *,
    z_size: int = 512,
    mixing: float = 0.9,
    gamma: float = 10.0,
    r1_every: int = 16,
    path_weight: float = 2.0,
    path_every: int = 4,
    ema: Ema = 0.0,
) -> Game:
    """Builds the game of a style-based generator against a discriminator, in four turns.

        d:    min  mean(softplus(-d(x)) + softplus(d(fake)))            fake = synthesis(mix(mapping(z1), mapping(z2)))
        r1:   min  gamma / 2  mean(|grad_x d(x)|^2)                     of the same x, in every `r1_every`-th step
        g:    min  mean(softplus(-d(fake)))
        path: min  path_weight  mean((|J^T y| - a)^2)                   of every second key, in every `path_every`-th

    J is the Jacobian of `fake` by the latents of its layers, a the running mean in the player "path". The lazy turns
    are as strong as in every step (`penalties.lazy`), so the optimizers must be `lazy_adam(path_every, ...)` for `tx_g`
    and `lazy_adam(r1_every, ...)` for `tx_d`. Samples are of one style each.

    Args:
        g: `g(z [B, Z], noise_keys [B]) -> x_fake [B, H, W, C]`, with methods `mapping(z) -> ws [B, L, W]`,
            `synthesis(ws, noise_keys)` and `average() -> [W]`, the mean of w.
        d: `d(x [B, H, W, C], keys [B]) -> scores [B]`.
        tx_g: the generator's optimizer.
        tx_d: the discriminator's optimizer.
        z_size: Z, the size of the standard normal latent.
        mixing: the probability of two styles in an image.
        gamma: the weight of R1.
        r1_every: steps from one R1 turn to the next.
        path_weight: the weight of the path length; 2 is that of app. B, ln 2 / (r^2 (ln r - ln 2)) at r x r pixels, as
            y has the deviation `1 / sqrt(H W)` and the norm is the mean over layers.
        path_every: steps from one turn of the path length to the next.
        ema: the generator's moving average (see `Player`), from which samples are drawn.
    """

    def styles(g, keys):
        first, second, mix_keys = split(keys, 3)
        # The running mean of w moves by the first style only: `stateless` does not record.
        ws = g(normal(first, z_size), method="mapping"), g.stateless(normal(second, z_size), method="mapping")
        return mix(*ws, mix_keys, mixing)

    def scores(nets, batch, keys):
        style_keys, noise_keys, real_keys, fake_keys = split(keys, 4)
        x_fake = nets["g"](styles(nets["g"], style_keys), noise_keys, method="synthesis")
        return nets["d"](batch["x"], real_keys), nets["d"](x_fake, fake_keys)

    def d_loss(nets, batch, keys, step):
        s_real, s_fake = scores(nets, batch, keys)
        return jnp.mean(losses.non_saturating.d(s_real, s_fake)), losses.score_metrics(s_real, s_fake)

    def g_loss(nets, batch, keys, step):
        return jnp.mean(losses.non_saturating.g(*scores(nets, batch, keys))), {}

    def r1_loss(nets, batch, keys, step):
        return gamma * jnp.mean(penalties.r1(lambda x: nets["d"].stateless(x, keys), batch["x"])), {}

    def path_loss(nets, batch, keys, step):
        style_keys, noise_keys, y_keys = split(keys[::2], 3)
        shape = batch["x"].shape[1:]
        y = jax.vmap(lambda key: jax.random.normal(key, shape, jnp.float32))(y_keys) / math.sqrt(shape[0] * shape[1])
        synthesize = lambda ws: nets["g"].stateless(ws, noise_keys, method="synthesis")  # noqa: E731
        lengths = path_lengths(synthesize, styles(nets["g"], style_keys), y)
        return path_weight * jnp.mean(nets["path"](lengths)), {"length": jnp.mean(lengths)}

    return Game(
        players={"g": Player(g, tx_g, ema), "d": Player(d, tx_d), "path": Player(PathLength(), optax.identity())},
        turns=(
            turn(move("d", d_loss)),
            lazy(move("d", r1_loss, name="r1"), r1_every),
            turn(move("g", g_loss)),
            lazy(move(("g", "path"), path_loss, name="path"), path_every),
        ),
        prior={"z": Normal(z_size), "keys": ExampleKeys()},
        inputs=lambda batch, latents: {
            "g": (latents["z"], latents["keys"]),
            "d": (batch["x"],),
            "path": (jnp.zeros(batch["x"].shape[0], jnp.float32),),
        },
        sample=lambda nets, latents: nets["g"].ema(latents["z"], latents["keys"]),
        space=LatentSpace(
            name="w",
            encode=lambda nets, latents: nets["g"].ema(latents["z"], method="mapping"),
            decode=lambda nets, latents: nets["g"].ema(latents["w"], latents["keys"], method="synthesis"),
            mean=lambda nets: nets["g"].ema(method="average"),
        ),
    )
