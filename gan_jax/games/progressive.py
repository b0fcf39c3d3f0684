"""Progressive growing: the game at one size of images, while its newest blocks fade in.

Karras et al. 2018, "Progressive growing of GANs for improved quality, stability, and variation", sec. 2 and fig. 2
(https://arxiv.org/abs/1710.10196).
"""

import math
from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from gan_jax.engine.game import Game, Latents
from gan_jax.errors import BadInput
from gan_jax.games.view import Nets, through
from gan_jax.nets.layers.convolution import Convolved, Images
from gan_jax.nets.layers.resampling import average_pool, upsample
from gan_jax.nets.pggan import Alpha, lerp

Fade = Callable[[Int[Array, ""]], Alpha]
"""`fade(step)`: the share of the newest blocks, from 0 to 1."""


def linear_fade(first: int, steps: int) -> Fade:
    """Returns the fade from 0 in step `first` to 1, `steps` later; it stays at 1."""
    return lambda step: jnp.clip((step - first).astype(jnp.float32) / steps, 0, 1)


def grow(game: Game, shape: tuple[int, ...], size: int, fade: Fade | None = None) -> Game:
    """Turns a game of `g(z)` and `d(x)` into that of networks `g(z, alpha)` and `d(x, alpha)` of `size` pixels a side.

        x' = reduce(x)      real: alpha * x' + (1 - alpha) * upsample(average_pool(x'))      alpha = fade(step)

    Every loss and penalty sees the real images and both networks at the alpha of the step. Samples are clipped to
    [-1, 1], since the last layer is linear, and enlarged to the size of the data by repeating pixels, so previews and
    scores have one shape in all phases.

    Args:
        game: such as `vanilla.game`, with any loss, penalties and turns.
        shape: `(H, W, C)` of the real images.
        size: of the images to generate.
        fade: without it, for the first size, alpha is 1.

    Raises:
        BadInput: the real images are not `size` pixels a side times a power of 2.
    """
    doublings = math.log2(shape[0] / size)
    if shape[0] != shape[1] or doublings < 0 or doublings % 1:
        height, width = shape[:2]
        raise BadInput(f"images of {height}x{width} cannot be halved to {size}x{size}: choose another size")

    def alpha(step: Int[Array, ""]) -> Alpha:
        return jnp.float32(1) if fade is None else fade(step)

    def real(x: Images, step: Int[Array, ""]) -> Convolved:
        x = reduced(x, int(doublings))
        return x if fade is None else lerp(upsample(average_pool(x)), x, fade(step))

    def faded(nets: Nets, step: Int[Array, ""]) -> Nets:
        own = {name: nets[name].wrap(lambda net, x, *rest: net(x, alpha(step), *rest)) for name in ("g", "d")}
        return {**nets, **own}

    def view(nets, batch, keys, step):
        return faded(nets, step), {**batch, "x": real(batch["x"], step)}

    def inputs(batch, latents: Latents):
        args = game.inputs({**batch, "x": reduced(batch["x"], int(doublings))}, latents)
        return {**args, **{name: (args[name][0], jnp.float32(1), *args[name][1:]) for name in ("g", "d")}}

    def sample(nets, latents: Latents, step: Int[Array, ""]) -> Float[Array, "B H W C"]:
        return enlarged(jnp.clip(game.sample(faded(nets, step), latents), -1, 1), int(doublings))

    return through(game, view)._replace(inputs=inputs, sample=sample)


def reduced(x: Images, halvings: int) -> Convolved:
    """Halves the size of images several times by averaging blocks of 2 x 2 pixels."""
    for _ in range(halvings):
        x = average_pool(x)
    return x


def enlarged(x: Images, doublings: int) -> Convolved:
    """Doubles the size of images several times by repeating pixels."""
    for _ in range(doublings):
        x = upsample(x)
    return x
