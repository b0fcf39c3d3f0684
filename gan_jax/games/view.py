"""Changes what the losses of a game see: their networks and examples."""

from collections.abc import Callable, Mapping
from typing import Any

from jaxtyping import Array, Int

from gan_jax.engine.game import Batch, Game, Keys, Move

Nets = Mapping[str, Any]

View = Callable[[Nets, Batch, Keys, Int[Array, ""]], tuple[Nets, Batch]]
"""`view(nets, batch, keys, step) -> (nets, batch)`, with the arguments of a loss."""


def through(game: Game, view: View) -> Game:
    """Returns the game whose losses, of every move, see the networks and the batch through `view`."""

    def changed(move: Move) -> Move:
        def loss(nets, batch, keys, step):
            return move.loss(*view(nets, batch, keys, step), keys, step)

        return move._replace(loss=loss)

    turns = (turn._replace(moves=tuple(map(changed, turn.moves))) for turn in game.turns)
    return game._replace(turns=tuple(turns))
