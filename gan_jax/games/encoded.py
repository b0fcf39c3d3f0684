"""Plays a game on another representation of its examples, such as spectrograms of sounds.

The data and the samples of the game stay as they are: examples are encoded before the losses see them, and samples are
decoded.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from jaxtyping import Array, Float, PyTree

from gan_jax.engine.game import Frozen, Game, Keys, Move, Player
from gan_jax.games.view import through
from gan_jax.priors import ExampleKeys

Statistics = PyTree[Array]
Shapes = PyTree[jax.ShapeDtypeStruct]
Examples = Float[Array, "B ..."]

STATISTICS = "statistics"
"""The name of the player that keeps the statistics."""

TRAINING_DATA = "training data"
"""The name of the frozen network that returns them."""


class Representation(NamedTuple):
    """A representation that depends on statistics of the training data."""

    shape: tuple[int, ...]
    """The shape of an encoded example."""
    encode: Callable[[Statistics, Examples], Examples]
    """`encode(statistics, x [B, ...])`, pure; on a device, once in every turn."""
    decode: Callable[[Statistics, Examples, Keys], Examples]
    """`decode(statistics, encoded [B, ...], keys [B]) -> x`: encoding may lose what is drawn again by the keys."""
    statistics: Callable[[], Statistics]
    """Computes the statistics, outside of a program."""
    like: Shapes
    """Shapes and dtypes of the statistics."""


class Memory(nn.Module):
    """Keeps arrays: a network without parameters, which returns them, in training those of its last call."""

    like: Shapes

    @nn.compact
    def __call__(self, new: Statistics | None = None) -> Statistics:
        """Returns the arrays, `new` ones if there are any."""

        def zeros() -> Statistics:
            return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), self.like)

        kept = self.variable(STATISTICS, "kept", zeros)
        if new is not None and self.is_mutable_collection(STATISTICS) and not self.is_initializing():
            kept.value = new
        return kept.value


def encoded(game: Game, representation: Representation) -> Game:
    """Returns the game whose networks see encoded examples, and whose samples are decoded.

        loss(nets, x)  becomes  loss(nets, encode(statistics, x))
        sample         becomes  decode(statistics, sample, keys)

    The statistics are those of a frozen network, "training data", which is called in training only. The player
    "statistics" keeps a copy, since a trained game is sampled without the data; it moves with every move of the clock.

    Args:
        game: the game on encoded examples.
        representation: of the examples `x` of a batch.
    """

    def view(nets, batch, keys, step):
        return nets, {**batch, "x": representation.encode(nets[TRAINING_DATA](), batch["x"])}

    def keeping(move: Move) -> Move:
        def loss(nets, *args):
            nets[STATISTICS](nets[TRAINING_DATA]())
            return move.loss(nets, *args)

        return Move((*move.who, STATISTICS), loss, move.label) if game.clock in move.who else move

    def inputs(batch, latents):
        x = jnp.zeros((len(batch["x"]), *representation.shape), batch["x"].dtype)
        return {**game.inputs({**batch, "x": x}, latents), STATISTICS: ()}

    encoding = through(game, view)
    return encoding._replace(
        players={**game.players, STATISTICS: Player(Memory(representation.like), optax.identity())},
        turns=tuple(turn._replace(moves=tuple(map(keeping, turn.moves))) for turn in encoding.turns),
        prior={**game.prior, "keys": ExampleKeys()},
        inputs=inputs,
        sample=lambda nets, latents: representation.decode(
            nets[STATISTICS].ema(), game.sample(nets, latents), latents["keys"]
        ),
        frozen={**game.frozen, TRAINING_DATA: Frozen(lambda statistics: statistics, representation.statistics)},
    )
