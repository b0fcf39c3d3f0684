"""What the generator has learnt, drawn and judged: from a seed, with chosen codes, or on a line between latents."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, UInt8

from gan_jax import pictures
from gan_jax.bound import bind
from gan_jax.codes import Categorical
from gan_jax.errors import BadInput
from gan_jax.experiment import Experiment
from gan_jax.game import Game, Latents, Metrics, State
from gan_jax.interpolation import slerp
from gan_jax.step import example_keys, named_key

CHUNK = 64
"""Images in one call of the network: bounds the memory, and every call is the same program with the same bits."""


def latents(
    game: Game, key: Key[Array, ""], n: int, given: Mapping[str, Sequence[int | float]] = MappingProxyType({})
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
    return drawn | {name: jnp.resize(_values(game, name, given[name]), (n,)) for name in given}


def in_turn(game: Game) -> dict[str, range]:
    """The classes of the first categorical code, which in a conditional game is the label, one after the other."""
    classes = [(name, range(code.classes)) for name, code in game.codes.items() if isinstance(code, Categorical)]
    return dict(classes[:1])


def between(start: Latents, end: Latents, steps: int) -> Latents:
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


def varied(game: Game, fixed: Latents, name: str, values: Sequence[int | float]) -> Latents:
    """Each of `fixed` with every one of `values` for the code `name`, and all else equal, `[n * len(values), ...]`.

    Raises:
        BadInput: as `latents`.
    """
    every = _values(game, name, values)
    n = fixed["z"].shape[0]
    return {k: jnp.repeat(leaf, len(every), axis=0) for k, leaf in fixed.items()} | {name: jnp.tile(every, n)}


def read_codes(words: Sequence[str]) -> dict[str, list[float]]:
    """`c1=3,8`, a word for each code, as values by name. Raises `BadInput` where a word cannot be read."""
    named = [word.partition("=")[::2] for word in words]
    return {name: _numbers(word, values.split(",")) for word, (name, values) in zip(words, named, strict=True)}


COLUMNS = 10
"""Of a row along which a number varies."""


def read_range(game: Game, word: str) -> tuple[str, Sequence[int | float]]:
    """A code and the values it takes in turn: `c1` all there are, `c2:-2:2` from where to where.

    Raises:
        BadInput: the word cannot be read, or the game has no such code.
    """
    name, *bounds = word.split(":")
    _values(game, name, [])
    code = game.codes[name]
    if isinstance(code, Categorical) and not bounds:
        return name, range(code.classes)
    low, high = _numbers(word, bounds) if len(bounds) == 2 else code if not bounds else _numbers(word, [""])
    if isinstance(code, Categorical):
        return name, range(int(low), int(high) + 1)
    return name, np.linspace(low, high, COLUMNS).tolist()


def _numbers(word: str, values: Sequence[str]) -> list[float]:
    try:
        return [float(value) for value in values]
    except ValueError:
        raise BadInput(
            f"{word!r} cannot be read: codes are given as c1=3 or c2=-0.5,0.5, and varied as c2:-2:2"
        ) from None


def _values(game: Game, name: str, values: Sequence[int | float]) -> Array:
    """Values of a code, of its type."""
    if name not in game.codes:
        codes = f"its codes are {', '.join(game.codes)}" if game.codes else "it has no codes"
        raise BadInput(f"this game has no {'labels' if name == 'y' else f'code {name}'}: {codes}")
    code = game.codes[name]
    if not isinstance(code, Categorical):
        return jnp.asarray(values, jnp.float32)
    for value in values:
        if value not in range(code.classes):
            kind = "label" if name == "y" else name
            raise BadInput(f"{kind} {value:g} is none of this game's: they are 0 to {code.classes - 1}")
    return jnp.asarray(values, jnp.int32)


def sampler(game: Game) -> Callable[[State, Latents], Float[np.ndarray, "N H W C"]]:
    """`draw(state, latents) -> images in [-1, 1]`, by the players' moving averages; compiled once."""

    @jax.jit
    def chunk(players, latents):
        return game.sample(bind(game, players), latents)

    def draw(state: State, latents: Latents) -> Float[np.ndarray, "N H W C"]:
        n = latents["z"].shape[0]
        images = []
        for start in range(0, n, CHUNK):
            rows = jnp.arange(start, start + CHUNK) % n
            images.append(chunk(state.players, {name: leaf[rows] for name, leaf in latents.items()}))
        return np.concatenate(images)[:n]

    return draw


def portrait(experiment: Experiment, game: Game) -> Callable[[State], UInt8[np.ndarray, "H W C"]]:
    """`draw(state) -> picture`: the experiment's own, or by default a grid of samples."""
    if experiment.portrait:
        return experiment.portrait(game)
    draw, shown = sampler(game), grid_latents(experiment, game)
    return lambda state: pictures.grid(pictures.to_uint8(draw(state, shown)), *experiment.grid)


def judgement(experiment: Experiment, game: Game) -> Callable[[State], Metrics]:
    """`judge(state) -> scores`, on the same latents every time; nothing where the experiment has no evaluation."""
    evaluation = experiment.evaluation
    if evaluation is None:
        return lambda state: {}
    judged = latents(game, jax.random.key(experiment.common.seed), evaluation.samples)
    scores = jax.jit(lambda players, judged: evaluation.scores(bind(game, players), judged))
    return lambda state: scores(state.players, judged)


def grid_latents(experiment: Experiment, game: Game) -> Latents:
    """The latents of the sample grids: the same in all of a run, and those that `gan-jax sample` draws by default."""
    rows, cols = experiment.grid
    return latents(game, jax.random.key(experiment.common.seed), rows * cols, in_turn(game))
