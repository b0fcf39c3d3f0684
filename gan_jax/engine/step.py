"""Plays a game: `init` makes a state, `make_step` the pure function from one state to the next.

Here players' gradients are taken, and whose depends on `move.who` alone, so a loss needs no detach and a network no
trainable flag. `dynamics.py` looks at the field that they make.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, Key

from gan_jax.engine.collectives import batch_axis, pmean
from gan_jax.engine.dynamics import Field, Joint, Optimizers
from gan_jax.engine.game import Batch, Game, Keys, Metrics, Move, Player, PlayerState, State, Turn, Variables
from gan_jax.engine.keys import example_keys, named_key
from gan_jax.engine.networks import bind
from gan_jax.engine.validate import check, check_batch
from gan_jax.errors import BadInput

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
            name: _init_player(player, optimizer(game, name), named_key(key, name), inputs[name])
            for name, player in game.players.items()
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


def _init_player(player: Player, tx: optax.GradientTransformation, key: Key[Array, ""], args: tuple) -> PlayerState:
    variables = dict(player.net.init(key, *args))
    params = variables.pop("params", {})
    ema = {"params": params, **variables} if player.ema else None
    return PlayerState(params, variables, tx.init(params), ema)


def _play(
    game: Game,
    turn: Turn,
    batch: Batch,
    keys: Keys,
    step: Int[Array, ""],
    players: dict[str, PlayerState],
) -> tuple[dict[str, PlayerState], Reports]:
    """One turn: the joint gradient field, the dynamics, then every mover's optimizer."""

    def loss(move: Move, joint: Joint) -> tuple[Float[Array, ""], Any]:
        """One move's loss at the movers' parameters `joint`, and what it reports."""
        nets = bind(game, players, joint)
        value, report = move.loss(nets, batch, keys, step)
        return value, ({"loss": value, **report}, {name: nets[name].stats for name in move.who})

    def gradients(joint: Joint) -> tuple[Joint, Any]:
        """Every mover's gradient of its own move's loss."""
        grads, stats, reports = {}, {}, {}
        for move in turn.moves:
            own = {name: joint[name] for name in move.who}
            own_grads, aux = jax.grad(lambda own, move=move: loss(move, joint | own), has_aux=True)(own)
            grads |= own_grads
            reports[move.label], own_stats = aux
            stats |= own_stats
        return pmean(grads), (pmean(stats), pmean(reports))

    mover = {name: move for move in turn.moves for name in move.who}
    field = Field(
        gradients=gradients,
        loss=lambda name, joint: loss(mover[name], joint)[0],
        descend=partial(_descend, game),
        optimizers={name: players[name].opt for name in mover},
    )
    joint = {name: players[name].params for name in mover}
    grads, (stats, reports) = turn.dynamics.follow(field, joint)
    updates, optimizers = _updates(game, joint, grads, field.optimizers)
    moved = optax.apply_updates(joint, updates)
    players = {**players}
    for name in joint:
        ema = _average_on(game.players[name], players[name].ema, {"params": moved[name], **stats[name]}, step)
        players[name] = PlayerState(moved[name], stats[name], optimizers[name], ema)
    for move in turn.moves:
        reports[move.label]["grad_norm"] = optax.tree.norm([grads[name] for name in move.who])
        reports[move.label]["update_norm"] = optax.tree.norm([updates[name] for name in move.who])
    return players, reports


def _sit_out(play: Callable, players: dict[str, PlayerState]) -> tuple[dict[str, PlayerState], Reports]:
    """What `play` returns, of a turn that is not played: everybody as they are, and zeros."""
    silent = jax.eval_shape(play, players)[1]
    return players, jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), silent)


def optimizer(game: Game, name: str) -> optax.GradientTransformation:
    """A player's optimizer, with what the dynamics of its turns make it remember."""
    tx = game.players[name].tx
    for dynamics in dict.fromkeys(turn.dynamics for turn in game.turns if any(name in m.who for m in turn.moves)):
        tx = dynamics.optimizer(tx)
    return tx


def _updates(game: Game, joint: Joint, grads: Joint, optimizers: Optimizers) -> tuple[Joint, Optimizers]:
    """What every mover's optimizer makes of its gradient, and becomes."""
    with jax.numpy_dtype_promotion("standard"):  # optax's Adam raises where a user asks for strict promotion
        new = {name: optimizer(game, name).update(grads[name], optimizers[name], joint[name]) for name in joint}
    return {name: updates for name, (updates, _) in new.items()}, {name: opt for name, (_, opt) in new.items()}


def _descend(game: Game, joint: Joint, grads: Joint, optimizers: Optimizers) -> tuple[Joint, Optimizers]:
    """One update of every mover."""
    updates, optimizers = _updates(game, joint, grads, optimizers)
    return optax.apply_updates(joint, updates), optimizers


def _average_on(player: Player, ema: Variables | None, now: Variables, step: Int[Array, ""]) -> Variables | None:
    """The moving average, one step on."""
    if ema is None:
        return None
    # Early on the average looks back over fewer steps, so that it does not remember the initial weights.
    t = step.astype(jnp.float32)
    decay = jnp.minimum(player.ema, (1 + t) / (10 + t))

    def follow(slow: Array, fast: Array) -> Array:
        floating = jnp.issubdtype(fast.dtype, jnp.floating)
        return slow + (1 - decay).astype(fast.dtype) * (fast - slow) if floating else fast

    return jax.tree.map(follow, ema, now)


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
