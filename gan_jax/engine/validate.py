"""Validates games and batches before anything is traced, and what losses return while they are."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from gan_jax.engine.game import Game, Move, Network, slice_count
from gan_jax.errors import BadInput

RESERVED = {"loss", "grad_norm", "finite_steps", "played"}
"""The metrics that the step itself reports of every move."""


def check_game(game: Game) -> None:
    """Raises `BadInput` if the game is inconsistent."""
    if not game.turns:
        raise BadInput("a game needs at least one turn")
    if shared := sorted(game.players.keys() & game.frozen.keys()):
        raise BadInput(f"{shared[0]!r} is a player and a frozen network: give one of them another name")
    if not isinstance(game.prior, Mapping):
        raise BadInput("the prior must be declared: give distributions by name, as in prior={'z': Normal(100)}")
    for name, player in game.players.items():
        if isinstance(player.net, type) or not isinstance(player.net, Network):
            raise BadInput(f"the network of {name!r} has no init and apply, as NNX modules: give a flax.linen module")
    for i, turn in enumerate(game.turns):
        movers = [name for move in turn.moves for name in move.who]
        if not movers:
            raise BadInput(f"turn {i} has no mover: give it a move")
        for name in movers:
            if name not in game.players:
                raise BadInput(f"turn {i} moves {name!r}, an unknown player: choose one of {sorted(game.players)}")
            if movers.count(name) > 1:
                raise BadInput(f"{name!r} moves twice in turn {i}: add up the losses, or use two turns")
        labels = [move.label for move in turn.moves]
        if len(set(labels)) < len(labels):
            raise BadInput(f"two moves of turn {i} are both called {max(labels, key=labels.count)!r}: name one of them")
        if turn.every < 1:
            raise BadInput(f"turn {i} has every={turn.every}: it must be at least 1")
    if not any(game.clock in move.who for turn in game.turns if turn.every == 1 for move in turn.moves):
        raise BadInput(f"the clock is {game.clock!r}, who does not move in every step: pass clock=<a player who does>")


def check_batch(game: Game, batch: Mapping[str, Any]) -> None:
    """Raises `BadInput` unless every leaf has one slice for each turn of the clock, and the game's parts share it."""
    for name, leaf in batch.items():
        if leaf.shape[0] != (count := slice_count(game)):
            sizes = f"{leaf.shape[0]} slices where a step takes {count}, one for each turn of {game.clock!r}"
            raise BadInput(f"batch[{name!r}] {leaf.shape} has {sizes}: leaves must be [slice, example, ...]")
        if (size := leaf.shape[1]) % game.parts:
            raise BadInput(f"a batch of {size} has no {game.parts} equal parts: give a multiple of {game.parts}")


def check_loss(move: Move, returned: Any) -> Any:
    """Returns what a move's loss returned. Raises `BadInput` unless it is a float scalar and a dict of scalars."""
    if not (isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[1], Mapping)):
        raise BadInput(f"move {move.label!r}: the loss must return (scalar, metrics), not a {type(returned).__name__}")
    if taken := sorted(RESERVED & returned[1].keys()):
        raise BadInput(f"move {move.label!r} reports {taken[0]!r}, a metric of every move: report it by another name")
    for name, value in {"loss": returned[0], **returned[1]}.items():
        kind = jnp.floating if name == "loss" else jnp.number
        if jnp.shape(value) or not jnp.issubdtype(jnp.result_type(value), kind):
            got = f"{jnp.result_type(value)}{list(jnp.shape(value))}"
            raise BadInput(f"{name!r} of move {move.label!r} is {got}: return a float scalar, such as its jnp.mean")
    return returned
