"""Validates games and batches before anything is traced."""

from gan_jax.engine.game import Batch, Game
from gan_jax.errors import BadInput


def check_game(game: Game) -> None:
    """Raises `BadInput` if the game is inconsistent."""
    if not game.turns:
        raise BadInput("a game needs at least one turn")
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


def check_batch(game: Game, batch: Batch) -> None:
    """Raises `BadInput` unless every leaf of `batch` has one slice per turn."""
    for name, leaf in batch.items():
        if leaf.shape[0] != len(game.turns):
            raise BadInput(
                f"batch[{name!r}] has {leaf.shape[0]} slices but the game has {len(game.turns)} turns: "
                f"leaves must be [turn, example, ...], got {leaf.shape}"
            )
