"""Latents as one chooses them: from a seed, with given codes, with one code varied, on a line from one to another."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from gan_jax.engine.game import Game, Latents
from gan_jax.engine.keys import example_keys, named_key
from gan_jax.engine.priors import Categorical, Code
from gan_jax.errors import BadInput
from gan_jax.sampling.interpolation import slerp

Values = Sequence[int | float]
"""Of a code: classes from 0, or numbers."""


def draw_latents(
    game: Game, key: Key[Array, ""], n: int, given: Mapping[str, Values] = MappingProxyType({})
) -> Latents:
    """The latents of `n` samples; image i is the same however many are drawn.

    Args:
        game: the game whose prior is drawn from.
        key: a scalar typed key.
        n: how many.
        given: values of codes, by name, dealt in turn to the samples, over and over; of others, the prior's own.

    Raises:
        BadInput: the game has no such code, or a categorical one has no such class.
    """
    drawn = game.prior(example_keys(named_key(key, "sample"), n))
    return drawn | {name: jnp.resize(_array(game.codes, name, given[name]), (n,)) for name in given}


def cycle_classes(game: Game) -> dict[str, range]:
    """The classes of the first categorical code, which in a conditional game is the label, one after the other."""
    classes = [(name, range(code.classes)) for name, code in game.codes.items() if isinstance(code, Categorical)]
    return dict(classes[:1])


def sweep_code(game: Game, fixed: Latents, name: str, values: Values) -> Latents:
    """Each of `fixed` with every one of `values` for the code `name`, and all else equal, `[n * len(values), ...]`.

    Raises:
        BadInput: as `latents`.
    """
    every = _array(game.codes, name, values)
    n = fixed["z"].shape[0]
    return {k: jnp.repeat(leaf, len(every), axis=0) for k, leaf in fixed.items()} | {name: jnp.tile(every, n)}


def interpolate_latents(start: Latents, end: Latents, steps: int) -> Latents:
    """`steps` latents from each `start` to its `end`, `[n * steps, ...]`: `z` on the great circle, numbers on the line.

    Classes are those of the start.
    """
    t = jnp.linspace(0.0, 1.0, steps)

    def path(name: str, a: Array, b: Array) -> Array:
        if name == "z":
            return jax.vmap(lambda t: slerp(a, b, t), out_axes=1)(t).reshape(-1, *a.shape[1:])
        if jnp.issubdtype(a.dtype, jnp.floating):
            return (a[:, None] + t[None] * (b - a)[:, None]).reshape(-1)
        return jnp.repeat(a, steps, axis=0)

    return {name: path(name, a, end[name]) for name, a in start.items()}


def check_codes(codes: Mapping[str, Code], given: Mapping[str, Values]) -> None:
    """Raises `BadInput` where there is no such code, or a categorical one has no such class."""
    for name, values in given.items():
        if name not in codes:
            has = f"its codes are {', '.join(codes)}" if codes else "it has no codes"
            raise BadInput(f"this game has no {'labels' if name == 'y' else f'code {name}'}: {has}")
        code = codes[name]
        for value in values if isinstance(code, Categorical) else ():
            if value not in range(code.classes):
                what = "label" if name == "y" else name
                raise BadInput(f"{what} {value:g} is none of this game's: they are 0 to {code.classes - 1}")


def _array(codes: Mapping[str, Code], name: str, values: Values) -> Array:
    """Values of a code, of its type."""
    check_codes(codes, {name: values})
    return jnp.asarray(values, jnp.int32 if isinstance(codes[name], Categorical) else jnp.float32)
