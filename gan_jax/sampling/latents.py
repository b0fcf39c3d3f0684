"""Draws latents from a key: with given codes, with one code swept, or interpolated between samples."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from gan_jax.engine.game import Batch, Game, Latents
from gan_jax.engine.keys import example_keys, named_key
from gan_jax.errors import BadInput
from gan_jax.priors import Categorical, Code, Distribution, draw

Values = Sequence[int | float]
"""Values of a code: classes from 0, or numbers."""


def draw_latents(
    game: Game,
    key: Key[Array, ""],
    n: int,
    given: Mapping[str, Values] = MappingProxyType({}),
    examples: Batch = MappingProxyType({}),
) -> Latents:
    """Draws the latents of `n` samples from the game's prior; sample i does not depend on `n`.

    Args:
        game: the game.
        key: a scalar typed key.
        n: the number of samples.
        given: values of codes by name, cycled over the samples; other codes are drawn from the prior.
        examples: `n` examples, of which the game's conditions are taken; a game of several translates those given.

    Raises:
        BadInput: unknown code, class out of range, or none of the game's conditions is given.
    """
    conditions = {name: examples[name] for name in game.conditions if name in examples}
    if game.conditions and not conditions:
        raise BadInput(f"this game makes samples of inputs ({', '.join(game.conditions)}), not of noise alone")
    latents = _drawing(tuple(game.prior.items()), n)(key) | conditions
    return latents | {name: jnp.resize(_array(game.codes, name, given[name]), (n,)) for name in given}


@lru_cache(maxsize=8)
def _drawing(prior: tuple[tuple[str, Distribution], ...], n: int) -> Callable[[Key[Array, ""]], Latents]:
    """Jits a prior: eagerly, every one of its operations would be compiled by itself."""
    return jax.jit(lambda key: draw(dict(prior), example_keys(named_key(key, "sample"), n)))


def cycle_classes(game: Game) -> dict[str, range]:
    """Returns all classes of the first categorical code (`y` in a conditional game) by its name, or nothing."""
    classes = [(name, range(code.classes)) for name, code in game.codes.items() if isinstance(code, Categorical)]
    return dict(classes[:1])


def sweep_code(game: Game, fixed: Latents, name: str, values: Values) -> Latents:
    """Repeats each of the `n` latents `fixed` with every one of `values` for the code `name`: `[n * len(values), ...]`.

    Raises:
        BadInput: as `draw_latents`.
    """
    swept = _array(game.codes, name, values)
    n = len(next(iter(fixed.values())))
    return {k: jnp.repeat(leaf, len(swept), axis=0) for k, leaf in fixed.items()} | {name: jnp.tile(swept, n)}


def interpolate_latents(game: Game, start: Latents, end: Latents, steps: int) -> Latents:
    """Interpolates in `steps` from each of `n` latents `start` to its `end`, as their distributions say.

    Returns latents `[n * steps, ...]`.
    """
    t = jnp.linspace(0.0, 1.0, steps, dtype=jnp.float32)
    paths = {name: each.interpolate(start[name], end[name], t) for name, each in game.prior.items()}
    return {name: path.reshape(-1, *path.shape[2:]) for name, path in paths.items()}


def check_codes(codes: Mapping[str, Code], given: Mapping[str, Values]) -> None:
    """Raises `BadInput` if a code is unknown, or a class of a categorical code is out of range."""
    for name, values in given.items():
        if name not in codes:
            has = f"its codes are {', '.join(codes)}" if codes else "it has no codes"
            raise BadInput(f"this game has no {'labels' if name == 'y' else f'code {name}'}: {has}")
        code = codes[name]
        for value in values if isinstance(code, Categorical) else ():
            if value not in range(code.classes):
                what = "label" if name == "y" else name
                raise BadInput(f"{what} {value:g} is out of range: choose from 0 to {code.classes - 1}")


def _array(codes: Mapping[str, Code], name: str, values: Values) -> Array:
    """Converts values of a code to an array of the code's dtype."""
    check_codes(codes, {name: values})
    return jnp.asarray(values, jnp.int32 if isinstance(codes[name], Categorical) else jnp.float32)
