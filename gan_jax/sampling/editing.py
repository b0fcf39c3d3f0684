"""Edits samples along a direction, and measures how strongly."""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from gan_jax.engine.game import Game, Latents, State
from gan_jax.errors import BadInput
from gan_jax.sampling.directions import Direction
from gan_jax.sampling.distance import Embed, embed_all
from gan_jax.sampling.sampler import sampler
from gan_jax.sampling.space import in_space, space_of


class Edits(NamedTuple):
    """Samples before an edit, and after it with S strengths."""

    before: Float[np.ndarray, "N ..."]
    after: Float[np.ndarray, "N S ..."]


def edit_samples(
    game: Game, state: State, latents: Latents, direction: Direction, strengths: Sequence[float], layers: slice
) -> Edits:
    """Draws the samples of latents that hold w, and of w + strength * direction, in `layers` of a space that has them.

    Raises:
        BadInput: the direction is of latents of another size, or the space has fewer layers.
    """
    name, draw = space_of(game).name, sampler(in_space(game))
    moved = move(latents[name], direction, strengths, layers)
    row = jnp.repeat(jnp.arange(len(moved)), len(strengths))
    repeated = {key: leaf[row] for key, leaf in latents.items()}
    after = draw(state, repeated | {name: moved.reshape(-1, *moved.shape[2:])})
    return Edits(draw(state, latents), after.reshape(*moved.shape[:2], *after.shape[1:]))


def move(
    w: Float[Array, "N *L W"], direction: Direction, strengths: Sequence[float], layers: slice
) -> Float[Array, "N S *L W"]:
    """Computes w + strength * direction. Raises `BadInput` as `edit_samples`."""
    if direction.vector.shape != w.shape[-1:]:
        sizes = f"{len(direction.vector)} numbers, not {w.shape[-1]}"
        raise BadInput(f"the direction {direction.name} is of another generator, with latents of {sizes}")
    step = np.zeros(w.shape[1:], np.float32)
    if w.ndim == 2:
        step[:] = direction.vector
    elif (layers.stop or 0) <= w.shape[1]:
        step[layers] = direction.vector
    else:
        raise BadInput(f"--layers {layers.start}:{layers.stop} are not those of this run: choose from 0:{w.shape[1]}")
    return w[:, None] + np.multiply.outer(np.asarray(strengths, np.float32), step)[None]


def mean_distances(embed: Embed, edits: Edits) -> list[float]:
    """Computes the mean squared distance of samples to what they were before the edit, for every strength."""
    n, steps = edits.after.shape[:2]
    before = embed_all(embed, edits.before)[:, None]
    after = embed_all(embed, edits.after.reshape(n * steps, *edits.after.shape[2:])).reshape(n, steps, -1)
    return jnp.mean(jnp.sum(jnp.square(after - before), axis=2), axis=0).tolist()
