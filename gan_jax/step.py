"""Plays a game: `init` makes a state, `make_step` the pure function from one state to the next.

This is the only file that differentiates parameters. Whose gradient is taken depends on `move.who` alone, so a loss
needs no detach and a network no trainable flag.
"""

import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, Key

from gan_jax.axis import batch_axis, device_index, mean_over_devices
from gan_jax.bound import bind
from gan_jax.errors import BadInput
from gan_jax.game import (
    Batch,
    Game,
    Keys,
    Metrics,
    Params,
    Player,
    PlayerState,
    State,
    Turn,
    Variables,
)
from gan_jax.rules import check, check_batch

Reports = dict[str, Metrics]
"""What every move of a turn has to report, by its label."""


def init(game: Game, key: Key[Array, ""], batch: Mapping[str, Any]) -> State:
    """The state before the first step.

    Args:
        game: the game.
        key: a scalar typed key; the same key gives the same state, and every random number of the run.
        batch: arrays or `jax.ShapeDtypeStruct`s `[turn, B, ...]`; only their shapes and dtypes are looked at.

    A player's network is drawn from the key and the player's name, so adding a player changes no other.
    """
    check(game)

    def make(key: Key[Array, ""]) -> State:
        first = {name: jnp.zeros(leaf.shape[1:], leaf.dtype) for name, leaf in batch.items()}
        latents = game.prior(example_keys(key, first["x"].shape[0]))
        inputs = game.inputs(first, latents)
        players = {
            name: _init_player(player, named_key(key, name), inputs[name]) for name, player in game.players.items()
        }
        return State(jnp.zeros((), jnp.int32), named_key(key, "play"), players)

    return jax.jit(make)(key)


def make_step(game: Game, axis_name: str | None = None) -> Callable[[State, Batch], tuple[State, Metrics]]:
    """The step of a game, `(state, batch) -> (state, metrics)`: one round of all its turns; pure.

    Args:
        game: the game.
        axis_name: the mapped axis that the batch is split over, under `shard_map` and `pmap`; `None` (under `jit`,
            sharded or not) says that the step sees the whole batch.

    Batch leaves are `[turn, B, ...]`, one slice of real data for every turn. Metrics are scalars: for every move
    `loss`, `grad_norm`, `update_norm` and what its loss reports, under `<label>/`; moves that share a label are
    averaged. A lazy move reports 0 in the steps that it sits out, and `<label>/played` says whether it was played.

    Raises:
        BadInput: the game contradicts itself (see `check`) or the batch has not one slice for every turn.
    """
    check(game)

    def step(state: State, batch: Batch) -> tuple[State, Metrics]:
        check_batch(game, batch)
        with batch_axis(axis_name):
            key = jax.random.fold_in(state.key, state.step)
            players, played = state.players, []
            for i, turn in enumerate(game.turns):
                examples = {name: leaf[i] for name, leaf in batch.items()}
                keys = example_keys(jax.random.fold_in(key, i), examples["x"].shape[0])
                play = partial(_play, game, turn, examples, keys, state.step)
                if turn.every == 1:
                    players, reports = play(players)
                else:
                    due = state.step % turn.every == 0
                    players, reports = jax.lax.cond(due, play, partial(_sit_out, play), players)
                played.append(reports)
            return State(state.step + 1, state.key, players), _average(game, played, state.step)

    return step


def named_key(key: Key[Array, ""], name: str) -> Key[Array, ""]:
    """A key of its own for everything that has a name, independent of what else there is."""
    return jax.random.fold_in(key, zlib.crc32(name.encode()))


def example_keys(key: Key[Array, ""], n: int) -> Keys:
    """`n` keys, one per example, by the example's index in the *whole* batch, whatever share this device holds."""
    index = device_index() * n + jnp.arange(n)
    return jax.vmap(jax.random.fold_in, (None, 0))(key, index)


def _init_player(player: Player, key: Key[Array, ""], args: tuple) -> PlayerState:
    variables = dict(player.net.init(key, *args))
    params = variables.pop("params", {})
    ema = {"params": params, **variables} if player.ema else None
    return PlayerState(params, variables, player.tx.init(params), ema)


def _play(
    game: Game,
    turn: Turn,
    batch: Batch,
    keys: Keys,
    step: Int[Array, ""],
    players: dict[str, PlayerState],
) -> tuple[dict[str, PlayerState], Reports]:
    """One turn: the joint gradient field, the dynamics, then every mover's optimiser."""

    def field(joint: dict[str, Params]) -> tuple[dict[str, Params], Any]:
        """Every mover's gradient of its own move's loss, at the movers' parameters `joint`."""
        grads, stats, reports = {}, {}, {}
        for move in turn.moves:

            def loss(own: dict[str, Params], move=move) -> tuple[Float[Array, ""], Any]:
                nets = bind(game, players, {**joint, **own})
                value, report = move.loss(nets, batch, keys, step)
                return value, ({"loss": value, **report}, {name: nets[name].stats for name in move.who})

            own = {name: joint[name] for name in move.who}
            own_grads, (report, own_stats) = jax.grad(loss, has_aux=True)(own)
            grads |= own_grads
            stats |= own_stats
            reports[move.label] = report
        return mean_over_devices(grads), (mean_over_devices(stats), mean_over_devices(reports))

    joint = {name: players[name].params for move in turn.moves for name in move.who}
    grads, (stats, reports) = turn.dynamics(field, joint)
    updates = {}
    for name in joint:
        players = {**players}
        players[name], updates[name] = _descend(game.players[name], players[name], grads[name], stats[name], step)
    for move in turn.moves:
        reports[move.label]["grad_norm"] = optax.tree.norm([grads[name] for name in move.who])
        reports[move.label]["update_norm"] = optax.tree.norm([updates[name] for name in move.who])
    return players, reports


def _sit_out(play: Callable, players: dict[str, PlayerState]) -> tuple[dict[str, PlayerState], Reports]:
    """What `play` returns, of a turn that is not played: everybody as they are, and zeros."""
    silent = jax.eval_shape(play, players)[1]
    return players, jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), silent)


def _descend(
    player: Player, state: PlayerState, grads: Params, stats: Variables, step: Int[Array, ""]
) -> tuple[PlayerState, Params]:
    """One update of one player, with its optimiser and its moving average."""
    with jax.numpy_dtype_promotion("standard"):  # optax's Adam raises where a user asks for strict promotion
        updates, opt = player.tx.update(grads, state.opt, state.params)
    params = optax.apply_updates(state.params, updates)
    ema = state.ema
    if ema is not None:
        # Early on the average looks back over fewer steps, so that it does not remember the initial weights.
        t = step.astype(jnp.float32)
        decay = jnp.minimum(player.ema, (1 + t) / (10 + t))
        ema = jax.tree.map(
            lambda slow, fast: (
                slow + (1 - decay).astype(fast.dtype) * (fast - slow)
                if jnp.issubdtype(fast.dtype, jnp.floating)
                else fast
            ),
            ema,
            {"params": params, **stats},
        )
    return PlayerState(params, stats, opt, ema), updates


def _average(game: Game, played: list[Reports], step: Int[Array, ""]) -> Metrics:
    """One flat dictionary: moves that share a label are averaged over the turns that were played."""
    metrics: Metrics = {}
    for label in dict.fromkeys(label for reports in played for label in reports):
        turns = [turn for turn, reports in zip(game.turns, played, strict=True) if label in reports]
        due = sum((step % turn.every == 0).astype(jnp.float32) for turn in turns)
        reports = [r[label] for r in played if label in r]
        if len({frozenset(report) for report in reports}) > 1:
            raise BadInput(f"two turns called {label!r} report different metrics: give one of the moves another name")
        total = {name: sum(report[name] for report in reports) for name in reports[0]}
        if all(turn.every > 1 for turn in turns):
            metrics[f"{label}/played"] = jnp.minimum(due, 1)
        metrics |= {f"{label}/{name}": value / jnp.maximum(due, 1) for name, value in total.items()}
    return metrics
