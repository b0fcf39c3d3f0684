"""Games by the words of their `gan-jax train` commands, and their descriptions in plain values."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gan_jax.config.discovery import find
from gan_jax.config.experiment import Phase, RunConfig, ScheduledPhase, schedule_phases
from gan_jax.config.flags import parse
from gan_jax.data import Source
from gan_jax.engine.game import Game, State, slices
from gan_jax.training.train import new_state

ENDLESS = ("--images", str(10**9))


class Built(NamedTuple):
    """A game with the settings of its row."""

    stage: ScheduledPhase
    common: RunConfig
    config: Any
    """The row's `Config`."""


def build(words: Sequence[str], source: Source, dtype: str = "float32") -> Built:
    """Builds the game of the command `gan-jax train WORDS`, its networks computing in `dtype`."""
    row, *flags = words
    make = find(row).load(flags)
    kwargs = parse(make, [*flags, *ENDLESS], row, given=["source"]).kwargs
    [stage] = schedule_phases(make(source, **kwargs))
    players = {
        key: player._replace(net=player.net.clone(dtype=None if dtype == "float32" else jnp.dtype(dtype)))
        for key, player in stage.game.players.items()
    }
    phase = Phase(stage.game._replace(players=players), stage.phase.images)
    return Built(stage._replace(phase=phase), kwargs["common"], kwargs["config"])


def parameters(state: State) -> dict[str, int]:
    """Counts the parameters of every player."""
    return {name: sum(leaf.size for leaf in jax.tree.leaves(p.params)) for name, p in state.players.items()}


def describe(name: str, built: Built, source: Source) -> dict[str, Any]:
    """Describes a game to processes that build its twins, and do not import JAX."""
    game, common, config = built.stage.game, built.common, built.config
    penalties = {penalty.name: penalty.weight for penalty in getattr(config, "penalty", ())}
    return {
        "game": name,
        "batch": common.batch_size,
        "shape": source.shape,
        "turns": [turn.moves[0].label for turn in game.turns],
        "slices": slices(game),
        "loss": getattr(getattr(config, "loss", None), "name", "") or "non_saturating",
        "penalty": penalties.get("gradient_penalty", 0.0),
        "adam": [config.learning_rate, config.b1, getattr(config, "b2", 0.999)],
        "ema": game.players["g"].ema,
        "parameters": parameters(jax.eval_shape(lambda: new_state(game, source, common))),
        **{player: _attributes(game, player) for player in ("g", "d")},
    }


def _attributes(game: Game, player: str) -> dict[str, Any]:
    """Lists the plain settings of a network, and the module it is from."""
    net = game.players[player].net
    plain = {name: value for name, value in vars(net).items() if isinstance(value, bool | int | float | tuple)}
    return {"family": type(net).__module__.rsplit(".", 1)[-1], **plain}
