"""Translates images of any size, one by one, by a game with conditions."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Key, Shaped, UInt8

from gan_jax.data.modality import Leaf, to_uint8
from gan_jax.engine.game import Batch, Game, State
from gan_jax.engine.keys import example_keys, named_key
from gan_jax.sampling.sampler import Samples, generate


def side_by_side_columns(game: Game, samples: Samples, examples: Batch) -> dict[str, UInt8[np.ndarray, "N _ _ _"]]:
    """Returns the images of examples by name: each input and what a game has made of it, then the targets.

    Of several outputs every input has an equal share, in order.
    """
    made = list((samples if isinstance(samples, dict) else {"images": samples}).items())
    real = {name: np.asarray(leaf) for name, leaf in examples.items() if leaf.ndim == 4}
    share = len(made) // len(game.conditions)
    columns = {}
    for i, name in enumerate(game.conditions):
        columns |= {name: real.pop(name)} | dict(made[i * share : (i + 1) * share])
    return {name: to_uint8(array) for name, array in (columns | real).items()}


def translator(
    game: Game, leaf: Leaf, condition: str, key: Key[Array, ""]
) -> Callable[[State, Iterable[np.ndarray]], Iterator[Samples]]:
    """Returns `translate(state, inputs)`, which yields what the game makes of each input, compiled for every shape.

    Args:
        game: the game.
        leaf: the kind of the inputs `[1, ...]`, which are given as they are stored: images as uint8.
        condition: the name of the input among the game's conditions; the others are left out.
        key: a scalar typed key; the noise of the i-th input, where there is noise, depends on it and i.
    """

    @jax.jit
    def made(state: State, stored: Array, index: Array) -> Any:
        keys = example_keys(jax.random.fold_in(named_key(key, "sample"), index), 1)
        latents = {**game.prior(keys), condition: leaf.modality.decode(stored)}
        return generate(game, state.players, latents, state.step)

    def translate(state: State, inputs: Iterable[Shaped[np.ndarray, "1 ..."]]) -> Iterator[Samples]:
        for index, stored in enumerate(inputs):
            yield jax.tree.map(np.asarray, made(state, stored, np.uint32(index)))

    return translate
