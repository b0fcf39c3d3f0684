"""Inverts a generator: finds the latents from which it makes a given image.

Zhu et al. 2016, "Generative visual manipulation on the natural image manifold", sec. 3.1,
https://arxiv.org/abs/1609.03552; in the space of styles, Abdal et al. 2019, "Image2StyleGAN",
https://arxiv.org/abs/1904.03189.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Key

from gan_jax.engine.game import Game, Latents, State
from gan_jax.sampling.distance import Embed, embed_all, squared_distances
from gan_jax.sampling.latents import Values, draw_latents
from gan_jax.sampling.sampler import generate, sampler
from gan_jax.sampling.space import encode, in_space, space_of

CANDIDATES = 2000
"""Samples among which the starts are chosen."""

STARTS = 4
"""Descents of every image, from the nearest candidates; they also decide labels, codes and noise, which then stay."""

STEPS = 300
RATE = 0.1
"""The initial rate of Adam, which falls to 0 along a cosine, in standard deviations of w."""


class Inversion(NamedTuple):
    """The latents of given images."""

    latents: Latents
    """With w; in a space of layers, every layer has its own."""
    distance: Float[Array, " N"]
    """The squared distance from each image to what is generated."""


def invert(
    game: Game,
    state: State,
    embed: Embed,
    images: Float[np.ndarray, "N ..."],
    key: Key[Array, ""],
    given: Mapping[str, Values] = MappingProxyType({}),
) -> Inversion:
    """Minimizes |embed(decode(w)) - embed(x)|^2 over w for every image x, one after the other.

    Args:
        game: the game.
        state: its state.
        embed: defines the distance.
        images: x, as the game makes them.
        key: a scalar typed key.
        given: values that codes may have, as in `draw_latents`.
    """
    space, played = space_of(game), in_space(game)
    drawn = encode(game, state, draw_latents(game, key, CANDIDATES, given))
    candidates = embed_all(embed, sampler(played)(state, drawn))
    deviation = jnp.std(drawn[space.name])
    adam = optax.adam(optax.cosine_decay_schedule(RATE, STEPS))

    @jax.jit
    def descend(state: State, starts: Latents, target: Float[Array, " D"]) -> tuple[Latents, Float[Array, ""]]:
        def distances(w: Float[Array, "S *L W"]) -> Float[Array, " S"]:
            x = generate(played, state.players, starts | {space.name: w}, state.step)
            return jnp.sum(jnp.square(embed(x) - target[None]), axis=1)

        def step(carry: tuple, _: None) -> tuple[tuple, None]:
            w, moments = carry
            gradient = jax.grad(lambda w: jnp.sum(distances(w)))(w)
            with jax.numpy_dtype_promotion("standard"):  # optax's Adam raises under strict promotion
                update, moments = adam.update(gradient, moments)
            return (w + deviation * update, moments), None

        w = starts[space.name]
        (w, _), _ = jax.lax.scan(step, (w, adam.init(w)), length=STEPS)
        found = distances(w)
        best = jnp.argmin(found)
        return {name: leaf[best] for name, leaf in (starts | {space.name: w}).items()}, found[best]

    found = []
    for target in embed_all(embed, images):
        _, nearest = jax.lax.top_k(-squared_distances(target[None], candidates)[0], STARTS)
        found.append(descend(state, {name: leaf[nearest] for name, leaf in drawn.items()}, target))
    latents, distances = zip(*found, strict=True)
    return Inversion({name: jnp.stack([each[name] for each in latents]) for name in drawn}, jnp.stack(distances))
