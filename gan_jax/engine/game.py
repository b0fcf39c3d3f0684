"""The types of a game: player, move, turn, game, state.

A GAN is a game between pure functions; Goodfellow et al. 2014, eq. 1, https://arxiv.org/abs/1406.2661, is the
two-player case. A `Game` is static and holds no arrays; everything that changes or is saved is in `State`.
"""

from collections.abc import Callable, Mapping
from itertools import accumulate
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, runtime_checkable

import optax
from jaxtyping import Array, Float, Int, Key, PyTree

from gan_jax import priors
from gan_jax.engine.dynamics import Dynamics, gradient_play
from gan_jax.priors import Code, Keys, LatentSpace, Prior

Params = PyTree[Array]
"""The learned arrays of one network."""

Variables = dict[str, PyTree[Array]]
"""Flax's collections of arrays: `{"params": ..., "batch_stats": ...}`."""

Batch = dict[str, Array]
"""Real examples by name: images `x` `[B, H, W, C]` float32 in [-1, 1], their labels `y` `[B]` int32, inputs `a`. A step
gets leaves `[slice, B, ...]`, one slice for each turn of the clock; see `slices`."""

Latents = dict[str, Array]
"""Inputs of the generator: what is drawn from the prior, as `z` `[B, Z]`, and the conditions, such as an image `a`."""

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


Ema = float | Callable[[Float[Array, ""]], Any]
"""The decay of a moving average per step, or its half-life as a function of the real images shown; see `Player`."""


class Player(NamedTuple):
    """A network, its optimizer, and the exponential moving average (EMA) of its variables, moved once per step.

    A number `ema` is the decay: `min(ema, (1 + t) / (10 + t))` in step t. A function `ema(images)` is a schedule of the
    half-life in real images, by those shown so far (steps times images per step of this game): in StyleGAN2
    `lambda n: jnp.minimum(10_000, 0.05 * n)`. With 0 no average is kept, and `BoundNet.ema` uses current variables.
    """

    net: Network
    tx: optax.GradientTransformation
    ema: Ema = 0.0


class Frozen(NamedTuple):
    """A pretrained network, `apply(variables, *args) -> output`, which losses call as `nets["vgg"](*args)`.

    `variables()` reads its arrays. A step takes them as an argument: they are in no state, and in no checkpoint.
    """

    apply: Callable[..., Any]
    variables: Callable[[], PyTree[Array]]


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
    prior: Prior
    """The distributions of the latents by name: `{"z": Normal(100), "y": Categorical(10)}` in a game of ten classes."""
    inputs: Callable[[Batch, Latents], Mapping[str, tuple]]
    """`inputs(batch, latents) -> {player: arguments of its network}`, to initialize the networks."""
    sample: Callable[..., Array | Mapping[str, Array]]
    """`sample(nets, latents)`, or also `step`: images `[B, H, W, C]` or arrays by name, made by the `.ema` networks."""
    clock: str = "d"
    """The player whose turns measure time and are dealt real data, except lazy ones; see `slices`."""
    conditions: tuple[str, ...] = ()
    """The arrays of the batch that are latents as they are: images to translate. Sampling then takes data."""
    frozen: Mapping[str, Frozen] = MappingProxyType({})
    """The pretrained networks, by names that are not those of players."""
    parts: int = 1
    """Equal parts of a turn's batch, taken one after the other, whose gradients are averaged before the one update: in
    less memory, the same step up to rounding, if losses are means over examples. Batch norm, minibatch deviation and
    relativistic averages see a part."""
    space: LatentSpace | None = None
    """Where samples are edited, if not in a latent of the prior; see `sampling.space`."""

    @property
    def codes(self) -> dict[str, Code]:
        """The latents of known range."""
        return {name: each for name, each in self.prior.items() if isinstance(each, Code)}

    def draw(self, keys: Keys, batch: Batch) -> Latents:
        """Draws the latents of a batch: those of the prior, and the game's conditions."""
        return {**priors.draw(self.prior, keys), **{name: batch[name] for name in self.conditions}}


class PlayerState(NamedTuple):
    """The arrays of one player."""

    params: Params
    stats: Variables
    """Every collection of the network except `params`: batch-norm averages, spectral-norm vectors, counters."""
    opt: optax.OptState
    """The state of the optimizer; a tuple of states if dynamics wrap it in several ways, one for each."""
    ema: Variables | None
    """The moving average of params and stats, or None without EMA."""


class State(NamedTuple):
    """Everything that changes during play, and everything that a checkpoint saves."""

    step: Int[Array, ""]
    key: Key[Array, ""]
    players: dict[str, PlayerState]


def slices(game: Game) -> tuple[int, ...]:
    """Returns the slice of the step's real data that each turn sees.

    Every turn of the clock is dealt the next slice. A lazy turn, or one in which the clock does not move, sees the
    slice of the turn before it: a generator's turn shares the real images of the discriminator's.
    """
    dealt = [turn.every == 1 and any(game.clock in move.who for move in turn.moves) for turn in game.turns]
    return tuple(max(0, count - 1) for count in accumulate(dealt))


def slice_count(game: Game) -> int:
    """Counts the slices of real data that one step is dealt."""
    return slices(game)[-1] + 1


def images_per_step(game: Game, batch_size: int) -> int:
    """Counts the real images that one step is dealt."""
    return batch_size * slice_count(game)
