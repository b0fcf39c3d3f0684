"""Translates images of any size by a game with conditions."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Key, Shaped, UInt8

from gan_jax.data.modality import IMAGE, VIDEO, Leaf, to_uint8
from gan_jax.engine.game import Batch, Game, State
from gan_jax.engine.keys import example_keys, named_key
from gan_jax.priors import draw
from gan_jax.sampling.sampler import CHUNK, Samples, generate
from gan_jax.viz.images import as_long, side_by_side, strips_in_turn

KINDS = {4: IMAGE, 5: VIDEO}
"""Kinds of what is shown, by the rank of arrays of examples."""

PIXELS = CHUNK * 64 * 64
"""Translated at a time, or one image that is larger: bounds memory."""


Columns = dict[str, UInt8[np.ndarray, "N ..."]]
"""Images or videos of the same examples by name."""


def side_by_side_columns(game: Game, samples: Samples, examples: Batch) -> Columns:
    """Returns the images or videos of examples by name: each input and what a game has made of it, then the targets.

    Of several outputs every input has an equal share, in order. Inputs of another kind, such as features, are left out.
    """
    named = samples if isinstance(samples, dict) else {KINDS[samples.ndim].plural: samples}
    made = list(named.items())
    real = {name: np.asarray(leaf) for name, leaf in examples.items() if leaf.ndim in KINDS}
    share = len(made) // len(game.conditions)
    columns = {}
    for i, name in enumerate(game.conditions):
        shown = {name: real.pop(name)} if name in real else {}
        columns |= shown | dict(made[i * share : (i + 1) * share])
    return {name: to_uint8(array) for name, array in (columns | real).items()}


def draw_columns(columns: Columns, rows: int, cols: int) -> UInt8[np.ndarray, "H W C"]:
    """Draws images of each example side by side, or its videos as film strips one below the other."""
    arrays = list(columns.values())
    return strips_in_turn(arrays) if arrays[0].ndim == 5 else side_by_side(arrays, rows, cols)


def play_columns(columns: Columns, rows: int, cols: int) -> list[UInt8[np.ndarray, "H W C"]]:
    """Draws videos of each example side by side, a picture for every frame."""
    frames = zip(*(np.moveaxis(videos, 1, 0) for videos in as_long(list(columns.values()))), strict=True)
    return [side_by_side(each, rows, cols) for each in frames]


def translator(
    game: Game, leaf: Leaf, condition: str, key: Key[Array, ""]
) -> Callable[[State, Iterable[np.ndarray]], Iterator[Samples]]:
    """Returns `translate(state, inputs)`, which yields what the game makes of each input.

    Neighbors of one shape are translated together, up to `CHUNK` small ones; one program is compiled for every shape.

    Args:
        game: the game.
        leaf: the kind of the inputs `[1, ...]`, which are given as they are stored: images as uint8.
        condition: the name of the input among the game's conditions; the others are left out.
        key: a scalar typed key; the noise of the i-th input, where there is noise, depends on it and i.
    """

    @jax.jit
    def made(state: State, stored: Array, indices: Array) -> Any:
        key_of = jax.vmap(lambda index: example_keys(jax.random.fold_in(named_key(key, "sample"), index), 1)[0])
        latents = {**draw(game.prior, key_of(indices)), condition: leaf.modality.decode(stored)}
        return generate(game, state.players, latents, state.step)

    def translate(state: State, inputs: Iterable[Shaped[np.ndarray, "1 ..."]]) -> Iterator[Samples]:
        for shape, alike in groupby(enumerate(inputs), lambda pair: pair[1].shape):
            most = max(1, min(CHUNK, PIXELS // (shape[1] * shape[2])))
            while pairs := list(islice(alike, most)):
                filled = pairs + pairs[-1:] * (most - len(pairs))  # a shorter batch would be another program
                indices, stored = zip(*filled, strict=True)
                samples = made(state, np.concatenate(stored), np.array(indices, np.uint32))
                samples = jax.tree.map(np.asarray, samples)
                for row in range(len(pairs)):
                    yield jax.tree.map(lambda array, row=row: array[row : row + 1], samples)

    return translate
