"""The words: player, move, turn, game, state. Types only; `step.py` plays them.

A GAN is a game between pure functions (Goodfellow et al. 2014, eq. 1, is the two-player case). A game holds no arrays
and never changes; everything that changes while it is played, and everything a checkpoint saves, is in `State`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, runtime_checkable

import optax
from jaxtyping import Array, Float, Int, Key, PyTree

from gan_jax.engine.dynamics import Dynamics, gradient_play
from gan_jax.engine.priors import Code

Params = PyTree[Array]
"""The learned arrays of one network."""

Variables = dict[str, PyTree[Array]]
"""Named collections of arrays, as flax writes them: `{"params": ..., "batch_stats": ...}`."""

Batch = dict[str, Array]
"""Real examples: `x` (images `[B, H, W, C]` float32 in [-1, 1]) and, where the data has them, labels `y` `[B]` int32.

What a step gets has one more axis in front, `[turn, B, ...]`: every turn has its own slice of the data."""

Latents = dict[str, Array]
"""What a sample is made from: `z` `[B, Z]` and the game's codes, each `[B]`; in a conditional game, labels `y`."""

Keys = Key[Array, " B"]
"""One PRNG key per example, so that noise does not depend on how the batch is split over devices."""

Metrics = dict[str, Float[Array, ""]]


@runtime_checkable
class Network(Protocol):
    """What a player plays with: the contract of a `flax.linen.Module`, which is two pure functions.

    A network is *training* when a collection other than `params` is mutable: batch norm then uses the statistics of
    its batch and records them. Noise (dropout) is drawn from keys that the caller passes as an argument.
    """

    def init(self, key: Key[Array, ""], *args: Any) -> Variables:
        """Fresh variables for inputs shaped like `args`."""

    def apply(self, variables: Variables, *args: Any, mutable: Any = False) -> Any:
        """The output or, with `mutable` a list of collections, `(output, those collections updated)`."""


class Player(NamedTuple):
    """A network, its optimizer, and the decay of the exponential moving average (EMA) of what it learned.

    `ema` is the decay per update, approached from below: `min(ema, (1 + t) / (10 + t))` in step t. 0 keeps no average,
    and the slow network is then the network itself.
    """

    net: Network
    tx: optax.GradientTransformation
    ema: float = 0.0


class Move(NamedTuple):
    """Who moves, and the loss that they descend.

    `loss(nets, batch, keys, step) -> (scalar, metrics)`: `nets` maps a player's name to its bound network
    (`bound.BoundNet`), `batch` is this turn's slice, `keys` is `[B]`, `step` counts whole rounds from 0. The gradient
    is taken with respect to the parameters of `who` and of nobody else, whatever other networks the loss calls.
    `name` heads the move's metrics; by default the movers' names, joined by `+`.
    """

    who: tuple[str, ...]
    loss: Callable[[Mapping[str, Any], Batch, Keys, Int[Array, ""]], tuple[Float[Array, ""], Metrics]]
    name: str = ""

    @property
    def label(self) -> str:
        """What the move's metrics are called."""
        return self.name or "+".join(self.who)


class Turn(NamedTuple):
    """Moves made at the same time, all from the same state.

    They also get the same batch and the same keys, so that they look at the same samples.
    With `every=k` the turn is played in steps 0, k, 2k, ... only (lazy regularization, Karras et al. 2020, sec. 3.1).
    `dynamics` maps the joint gradient field of the moves to what the optimizers are given.
    """

    moves: tuple[Move, ...]
    every: int = 1
    dynamics: Dynamics = gradient_play


def move(who: str | tuple[str, ...], loss: Callable, name: str = "") -> Move:
    """A `Move`; a single mover may be given by its bare name."""
    return Move((who,) if isinstance(who, str) else tuple(who), loss, name)


def turn(*moves: Move, every: int = 1, dynamics: Dynamics = gradient_play) -> Turn:
    """A `Turn` in which `moves` are made at the same time."""
    return Turn(moves, every, dynamics)


class Game(NamedTuple):
    """Players, and the turns of one step, in order. Static: no arrays.

    Alternating play is `(turn(d), turn(g))`, simultaneous `(turn(d, g),)`, five critic turns
    `5 * (turn(d),) + (turn(g),)`, lazy R1 `(turn(d), turn(g), turn(r1, every=16))`.
    """

    players: Mapping[str, Player]
    turns: tuple[Turn, ...]
    prior: Callable[[Keys], Latents]
    """`prior(keys [B]) -> latents`, what samples are made from."""
    inputs: Callable[[Batch, Latents], Mapping[str, tuple]]
    """`inputs(batch, latents) -> {player: arguments of its network}`, from which the networks are initialized."""
    sample: Callable[[Mapping[str, Any], Latents], Array]
    """`sample(nets, latents) -> images [B, H, W, C]`; calls the `.ema` networks."""
    clock: str = "d"
    """The player whose turns measure time: durations are counted in real images dealt to this player's turns."""
    codes: Mapping[str, Code] = MappingProxyType({})
    """What the prior draws besides `z`, by name: `{"y": Categorical(10)}` in a game of ten classes."""


class PlayerState(NamedTuple):
    """All of a player that changes."""

    params: Params
    stats: Variables
    """Every collection of the network but `params`: batch-norm averages, spectral-norm vectors, a pool, a counter."""
    opt: optax.OptState
    ema: Variables | None
    """The moving average of params and stats, or None where the player keeps none."""


class State(NamedTuple):
    """All that changes, and all that is saved."""

    step: Int[Array, ""]
    key: Key[Array, ""]
    players: dict[str, PlayerState]


def images_per_step(game: Game, batch_size: int) -> int:
    """How many real images the clock player is dealt in one step; lazy turns do not count."""
    return batch_size * sum(any(game.clock in m.who for m in t.moves) for t in game.turns if t.every == 1)
