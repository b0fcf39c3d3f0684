"""The types of a game: player, move, turn, game, state.

A GAN is a game between pure functions; Goodfellow et al. 2014, eq. 1, https://arxiv.org/abs/1406.2661, is the
two-player case. A `Game` is static and holds no arrays; everything that changes or is saved is in `State`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, runtime_checkable

import optax
from jaxtyping import Array, Float, Int, Key, PyTree

from gan_jax.engine.dynamics import Dynamics, gradient_play
from gan_jax.engine.priors import Code, Keys

Params = PyTree[Array]
"""The learned arrays of one network."""

Variables = dict[str, PyTree[Array]]
"""Flax's collections of arrays: `{"params": ..., "batch_stats": ...}`."""

Batch = dict[str, Array]
"""Real examples: images `x` `[B, H, W, C]` float32 in [-1, 1] and, where the data has them, labels `y` `[B]` int32.

A step gets leaves `[turn, B, ...]`: every turn has its own slice of the data."""

Latents = dict[str, Array]
"""Inputs of the generator: `z` `[B, Z]` and the game's codes, each `[B]`; in a conditional game, labels `y`."""

Metrics = dict[str, Float[Array, ""]]


@runtime_checkable  # beartype checks it in the tests
class Network(Protocol):
    """A pair of pure functions, as `flax.linen.Module` has them.

    `mutable` collections mean training mode: batch norm then uses the statistics of its batch and records them. Noise
    (dropout) is drawn from keys passed as an argument.
    """

    def init(self, key: Key[Array, ""], *args: Any) -> Variables:
        """Initializes the variables for inputs shaped like `args`."""

    def apply(self, variables: Variables, *args: Any, mutable: Any = False) -> Any:
        """Computes the output or, with `mutable` a list of collections, `(output, updated collections)`."""


class Player(NamedTuple):
    """A network, its optimizer, and the decay of the exponential moving average (EMA) of its variables.

    The decay in step t is `min(ema, (1 + t) / (10 + t))`. With `ema=0` no average is kept, and `BoundNet.ema` uses the
    current variables.
    """

    net: Network
    tx: optax.GradientTransformation
    ema: float = 0.0


class Move(NamedTuple):
    """The players who move, and the loss that they minimize.

    `loss(nets, batch, keys, step) -> (scalar, metrics)`: `nets` maps names to `networks.BoundNet`, `batch` is this
    turn's slice, `keys` is `[B]`, `step` counts from 0. The gradient is taken with respect to the parameters of `who`
    only, whatever networks the loss calls. `name` prefixes the metrics; by default the movers, joined by `+`.
    """

    who: tuple[str, ...]
    loss: Callable[[Mapping[str, Any], Batch, Keys, Int[Array, ""]], tuple[Float[Array, ""], Metrics]]
    name: str = ""

    @property
    def label(self) -> str:
        """The prefix of the move's metrics."""
        return self.name or "+".join(self.who)


class Turn(NamedTuple):
    """Moves made at the same time, from the same state, with the same batch and keys.

    With `every=k` the turn is lazy: played in steps 0, k, 2k, ... only, with the loss as it is; `penalties.lazy`
    multiplies it by k. `dynamics` maps the joint gradient field to the optimizers' inputs.
    """

    moves: tuple[Move, ...]
    every: int = 1
    dynamics: Dynamics = gradient_play


def move(who: str | tuple[str, ...], loss: Callable, name: str = "") -> Move:
    """Makes a `Move`; a single mover may be a string."""
    return Move((who,) if isinstance(who, str) else tuple(who), loss, name)


def turn(*moves: Move, every: int = 1, dynamics: Dynamics = gradient_play) -> Turn:
    """Makes a `Turn` of simultaneous `moves`."""
    return Turn(moves, every, dynamics)


class Game(NamedTuple):
    """The players, and the turns of one step in order.

    Alternating play is `(turn(d), turn(g))`, simultaneous `(turn(d, g),)`, five critic turns
    `5 * (turn(d),) + (turn(g),)`, lazy R1 `(turn(d), turn(g), lazy(r1, every=16))`.
    """

    players: Mapping[str, Player]
    turns: tuple[Turn, ...]
    prior: Callable[[Keys], Latents]
    """`prior(keys [B]) -> latents`."""
    inputs: Callable[[Batch, Latents], Mapping[str, tuple]]
    """`inputs(batch, latents) -> {player: arguments of its network}`, to initialize the networks."""
    sample: Callable[[Mapping[str, Any], Latents], Array]
    """`sample(nets, latents) -> images [B, H, W, C]`, by the `.ema` networks."""
    clock: str = "d"
    """The player whose turns measure time: durations are counted in the real images that these turns receive."""
    codes: Mapping[str, Code] = MappingProxyType({})
    """The codes that the prior draws besides `z`: `{"y": Categorical(10)}` in a game of ten classes."""


class PlayerState(NamedTuple):
    """The arrays of one player."""

    params: Params
    stats: Variables
    """Every collection of the network except `params`: batch-norm averages, spectral-norm vectors, counters."""
    opt: optax.OptState
    ema: Variables | None
    """The moving average of params and stats, or None without EMA."""


class State(NamedTuple):
    """Everything that changes during play, and everything that a checkpoint saves."""

    step: Int[Array, ""]
    key: Key[Array, ""]
    players: dict[str, PlayerState]


def images_per_step(game: Game, batch_size: int) -> int:
    """Counts the real images that the clock player receives in one step; lazy turns do not count."""
    return batch_size * sum(any(game.clock in m.who for m in t.moves) for t in game.turns if t.every == 1)
