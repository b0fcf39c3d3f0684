"""LAPGAN: one game per level of the Laplacian pyramid; every level adds detail to the upsampled coarser image.

Denton et al. 2015, "Deep generative image models using a Laplacian pyramid of adversarial networks", figs. 1
(sampling) and 2 (training) (https://arxiv.org/abs/1506.05751). The paper's noise is uniform; here it is normal.
"""

from collections.abc import Sequence

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from gan_jax import losses
from gan_jax.engine.game import Ema, Game, Move, Network, Player, move, turn
from gan_jax.engine.keys import split
from gan_jax.errors import BadInput
from gan_jax.losses import AdversarialLoss
from gan_jax.nets.layers.pyramid import gaussian_pyramid, up
from gan_jax.priors import Normal


def game(
    g: Sequence[Network],
    d: Sequence[Network],
    tx_g: optax.GradientTransformation,
    tx_d: optax.GradientTransformation,
    *,
    shape: tuple[int, ...],
    z_size: int = 100,
    loss: AdversarialLoss = losses.non_saturating,
    ema: Ema = 0.0,
) -> Game:
    """Builds a game whose levels are all trained at once, independently of each other.

    Players `g0` and `d0` play on the coarsest images, `gk` and `dk` on the residuals of level k, given the upsampled
    image of level k - 1: the real one in training, the generated one in sampling.

    The latent is one flat vector: `z_size` values for the coarsest image, then, coarse to fine, one per pixel of each
    residual.

    Args:
        g: coarse to fine: `g0(z [B, Z]) -> x_fake [B, H, W, C]`, then `gk(z [B, H W], low [B, H, W, C]) -> residual`
            of the shape of `low`.
        d: coarse to fine: `d0(x [B, H, W, C], keys [B]) -> scores [B]`, then `dk(residual, low, keys)`; keys are for
            dropout.
        tx_g: the generators' optimizer.
        tx_d: the discriminators' optimizer.
        shape: `(H, W, C)` of the real images, halved once per finer level.
        z_size: Z, the size of the coarsest level's part of the latent.
        loss: the adversarial loss of every level.
        ema: the generators' moving average (see `Player`), from which samples are drawn; 0 for none.

    Raises:
        BadInput: the numbers of generators and discriminators differ, or the images cannot be halved often enough.
    """
    if len(g) != len(d) or not g:
        raise BadInput(f"{len(g)} generators cannot play {len(d)} discriminators: give one of each for every level")
    height, width, _ = shape
    finest = len(g) - 1
    if height % 2**finest or width % 2**finest:
        raise BadInput(f"images of {height}x{width} cannot be halved {finest} times: use fewer levels")
    pixels = [height * width // 4 ** (finest - k) for k in range(len(g))]
    sizes = [z_size, *pixels[1:]]
    noise = Normal(sum(sizes))

    def split_latent(z: Float[Array, "B Z"]) -> list[Float[Array, "B _"]]:
        """Splits the flat latent into the parts of the levels."""
        starts = [sum(sizes[:k]) for k in range(len(sizes))]
        return [z[:, start : start + size] for start, size in zip(starts, sizes, strict=True)]

    def real(batch, k):
        """Computes a level's real residuals and low-pass images; for the coarsest level, the images."""
        images = gaussian_pyramid(batch["x"], finest)
        if k == 0:
            return (images[0],)
        low = up(images[k - 1])
        return images[k] - low, low

    def scores(nets, batch, keys, k):
        z_keys, real_keys, fake_keys = split(keys, 3)
        x, *low = real(batch, k)
        x_fake = nets[f"g{k}"](split_latent(noise.draw(z_keys))[k], *low)
        return nets[f"d{k}"](x, *low, real_keys), nets[f"d{k}"](x_fake, *low, fake_keys)

    def d_move(k: int) -> Move:
        def d_loss(nets, batch, keys, step):
            s_real, s_fake = scores(nets, batch, keys, k)
            return jnp.mean(loss.at(step).d(s_real, s_fake)), losses.score_metrics(
                s_real, s_fake, loss.at(step).undecided
            )

        return move(f"d{k}", d_loss)

    def g_move(k: int) -> Move:
        def g_loss(nets, batch, keys, step):
            return jnp.mean(loss.at(step).g(*scores(nets, batch, keys, k))), {}

        return move(f"g{k}", g_loss)

    def inputs(batch, latents):
        g_inputs = {f"g{k}": (z, *real(batch, k)[1:]) for k, z in enumerate(split_latent(latents["z"]))}
        return g_inputs | {f"d{k}": real(batch, k) for k in range(len(d))}

    def sample(nets, latents):
        coarsest, *finer = split_latent(latents["z"])
        x = nets["g0"].ema(coarsest)
        for k, z in enumerate(finer, start=1):
            low = up(x)
            x = low + nets[f"g{k}"].ema(z, low)
        return jnp.clip(x, -1, 1)  # residuals are unbounded

    generators = {f"g{k}": Player(net, tx_g, ema) for k, net in enumerate(g)}
    discriminators = {f"d{k}": Player(net, tx_d) for k, net in enumerate(d)}
    return Game(
        players=generators | discriminators,
        turns=(turn(*map(d_move, range(len(d)))), turn(*map(g_move, range(len(g))))),
        prior={"z": noise},
        inputs=inputs,
        sample=sample,
        clock="d0",
    )
