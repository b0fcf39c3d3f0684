"""Plays a game: `init` makes the first state, `make_step` the pure function from one state to the next.

Gradients are taken here and nowhere else, with respect to the parameters of `move.who`. A loss therefore needs no
`stop_gradient` and a network no trainable flag. One turn is three functions: `_gradient_field`, `_advance`, `_report`.
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
from gan_jax.engine.validate import check_batch, check_game, check_loss
from gan_jax.errors import BadInput

Players = dict[str, PlayerState]

Reports = dict[str, Metrics]
"""The metrics of every move of a turn, by the move's label."""


def init(game: Game, key: Key[Array, ""], batch: Mapping[str, Any]) -> State:
    """Initializes the state of a game from a scalar typed key, which determines every random number of the run.

    `batch` leaves are arrays or shapes `[turn, B, ...]`. A player's variables depend only on the key and its name.
    """
    check_game(game)

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
    """Makes the pure step `(state, batch) -> (state, metrics)`, which plays every turn of the game once.

    Batch leaves are `[turn, B, ...]`: every turn has its own real data. Metrics are scalars, for every move
    `<label>/loss`, `<label>/grad_norm`, `<label>/update_norm` and the metrics of its loss, averaged over moves of one
    label. A lazy move reports 0 in the steps that skip it; `<label>/played` is 1 in the others. `axis_name` is the
    mapped axis over which the batch is split, under `shard_map` and `pmap`; under `jit` there is none, sharded or not.

    Raises:
        BadInput: the game, a batch, or what a loss returns fails its check in `validate`.
    """
    check_game(game)

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
                    players, reports = jax.lax.cond(due, play, partial(_skip, play), players)
                played.append(reports)
            return State(state.step + 1, state.key, players), _average(game, played, state.step)

    return step


def optimizer(game: Game, name: str) -> optax.GradientTransformation:
    """Returns a player's optimizer, wrapped by the dynamics of the turns in which the player moves."""
    tx = game.players[name].tx
    for dynamics in dict.fromkeys(turn.dynamics for turn in game.turns if any(name in m.who for m in turn.moves)):
        tx = dynamics.optimizer(tx)
    return tx


def _init_player(player: Player, tx: optax.GradientTransformation, key: Key[Array, ""], args: tuple) -> PlayerState:
    variables = dict(player.net.init(key, *args))
    params = variables.pop("params", {})
    ema = {"params": params, **variables} if player.ema else None
    return PlayerState(params, variables, tx.init(params), ema)


def _play(
    game: Game, turn: Turn, batch: Batch, keys: Keys, step: Int[Array, ""], players: Players
) -> tuple[Players, Reports]:
    """Plays one turn; with plain dynamics, `follow(field, joint)` is `field.gradients(joint)`."""
    joint = {name: players[name].params for move in turn.moves for name in move.who}
    field = _gradient_field(game, turn, batch, keys, step, players)
    grads, (stats, reports) = turn.dynamics.follow(field, joint)
    players, updates = _advance(game, players, joint, grads, stats, step)
    return players, _report(turn, reports, grads, updates)


def _gradient_field(game: Game, turn: Turn, batch: Batch, keys: Keys, step: Int[Array, ""], players: Players) -> Field:
    """Builds the field of a turn: at joint parameters, every mover's gradient of its own move's loss."""

    def loss(move: Move, joint: Joint, own: Joint) -> tuple[Float[Array, ""], Any]:
        nets = bind(game, players, joint | own)
        value, metrics = check_loss(move, move.loss(nets, batch, keys, step))
        return value, ({name: nets[name].stats for name in move.who}, {"loss": value, **metrics})

    def gradients(joint: Joint) -> tuple[Joint, Any]:
        grads, stats, reports = {}, {}, {}
        for move in turn.moves:
            own = {name: joint[name] for name in move.who}
            own_grads, (own_stats, reports[move.label]) = jax.grad(partial(loss, move, joint), has_aux=True)(own)
            grads |= own_grads
            stats |= own_stats
        # Other stats, such as spectral vectors or an image pool, have no mean over devices.
        stats = {name: own | pmean({k: own[k] for k in own.keys() & {"batch_stats"}}) for name, own in stats.items()}
        return pmean(grads), (stats, pmean(reports))

    mover = {name: move for move in turn.moves for name in move.who}
    return Field(
        gradients=gradients,
        loss=lambda name, joint: loss(mover[name], joint, {})[0],
        descend=partial(_descend, game),
        optimizers={name: players[name].opt for name in mover},
    )


def _advance(
    game: Game, players: Players, joint: Joint, grads: Joint, stats: Joint, step: Int[Array, ""]
) -> tuple[Players, Joint]:
    """Advances every mover: optimizer, new stats, EMA. Returns all players and the movers' updates."""
    updates, optimizers = _updates(game, joint, grads, {name: players[name].opt for name in joint})
    moved = optax.apply_updates(joint, updates)
    players = {**players}
    for name in joint:
        ema = _update_ema(game.players[name], players[name].ema, {"params": moved[name], **stats[name]}, step)
        players[name] = PlayerState(moved[name], stats[name], optimizers[name], ema)
    return players, updates


def _report(turn: Turn, reports: Reports, grads: Joint, updates: Joint) -> Reports:
    """Adds the norms of gradient and update to every move's metrics."""
    for move in turn.moves:
        reports[move.label]["grad_norm"] = optax.tree.norm([grads[name] for name in move.who])
        reports[move.label]["update_norm"] = optax.tree.norm([updates[name] for name in move.who])
    return reports


def _skip(play: Callable, players: Players) -> tuple[Players, Reports]:
    """Stands in for `play` where a lazy turn is not due: the same players, and metrics of 0."""
    reports = jax.eval_shape(play, players)[1]
    return players, jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), reports)


def _updates(game: Game, joint: Joint, grads: Joint, optimizers: Optimizers) -> tuple[Joint, Optimizers]:
    """Computes every mover's update and new optimizer state."""
    with jax.numpy_dtype_promotion("standard"):  # optax's Adam raises under strict promotion
        new = {name: optimizer(game, name).update(grads[name], optimizers[name], joint[name]) for name in joint}
    return {name: updates for name, (updates, _) in new.items()}, {name: opt for name, (_, opt) in new.items()}


def _descend(game: Game, joint: Joint, grads: Joint, optimizers: Optimizers) -> tuple[Joint, Optimizers]:
    """Applies one update of every mover."""
    updates, optimizers = _updates(game, joint, grads, optimizers)
    return optax.apply_updates(joint, updates), optimizers


def _update_ema(player: Player, ema: Variables | None, now: Variables, step: Int[Array, ""]) -> Variables | None:
    """Moves the EMA towards `now`, with decay `min(player.ema, (1 + t) / (10 + t))` in step t."""
    if ema is None:
        return None
    t = step.astype(jnp.float32)
    decay = jnp.minimum(player.ema, (1 + t) / (10 + t))  # a shorter window at first, to forget the initial weights

    def follow(average: Array, new: Array) -> Array:
        floating = jnp.issubdtype(new.dtype, jnp.floating)
        return average + (1 - decay).astype(new.dtype) * (new - average) if floating else new

    return jax.tree.map(follow, ema, now)


def _average(game: Game, played: list[Reports], step: Int[Array, ""]) -> Metrics:
    """Flattens the reports of all turns; moves of one label are averaged over the turns played in this step."""
    metrics = {}
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
