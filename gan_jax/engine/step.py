"""Plays a game: `init` makes the first state, `make_step` the pure function from one state to the next.

Gradients are taken here and nowhere else, with respect to the parameters of `move.who`. A loss therefore needs no
`stop_gradient` and a network no trainable flag. One turn is three functions: `_gradient_field`, `_advance`, `_report`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, Key

from gan_jax.engine.collectives import batch_axis, device_count, pmean
from gan_jax.engine.dynamics import Field, Joint, Optimizers, gradient_play
from gan_jax.engine.game import Batch, Game, Metrics, Move, Player, PlayerState, State, Turn, images_per_step, slices
from gan_jax.engine.keys import example_keys, named_key
from gan_jax.engine.networks import bind
from gan_jax.engine.validate import check_batch, check_game, check_loss
from gan_jax.errors import BadInput
from gan_jax.priors import Keys

Players = dict[str, PlayerState]
Reports = dict[str, Metrics]
"""The metrics of every move of a turn, by the move's label."""
Flag = Bool[Array, ""] | bool


class Dealt(NamedTuple):
    """What the losses of a turn get, the frozen networks, bound to their variables, and whether norms are taken."""

    batch: Batch
    keys: Keys
    step: Int[Array, ""]
    frozen: Mapping[str, Callable]
    measured: Flag


def init(game: Game, key: Key[Array, ""], batch: Mapping[str, Any]) -> State:
    """Initializes the state of a game from a scalar typed key, which determines every random number of the run.

    `batch` leaves are arrays or shapes `[slice, B, ...]`. A player's variables depend only on the key and its name.
    """
    check_game(game)

    def make(key: Key[Array, ""]) -> State:
        first = {name: jnp.zeros(leaf.shape[1:], leaf.dtype) for name, leaf in batch.items()}
        latents = game.draw(example_keys(key, len(next(iter(first.values())))), first)
        inputs = game.inputs(first, latents)
        players = {
            name: _init_player(player, optimizers(game, name), named_key(key, name), inputs[name])
            for name, player in game.players.items()
        }
        return State(jnp.zeros((), jnp.int32), named_key(key, "play"), players)

    return jax.jit(make)(key)


def make_step(game: Game, axis_name: str | None = None) -> Callable[..., tuple[State, Metrics]]:
    """Makes the pure step `(state, batch) -> (state, metrics)`, which plays every turn of the game once.

    In a game with frozen networks it also takes `frozen_variables(game)`; left out, they are constants of the program.
    Batch leaves are `[slice, B, ...]`; `game.slices` tells which turn sees which. Metrics are scalars, for every move
    `<label>/loss`, `<label>/grad_norm` and the metrics of its loss, averaged over moves of one label. A lazy move
    reports 0 in the steps that skip it; `<label>/played` is 1 in the others. Norms of gradients, which cost a pass over
    memory, are 0 where `measured` is false, but for lazy moves. `axis_name` is the mapped axis over which the batch is
    split, under `shard_map` and `pmap`; under `jit` there is none, sharded or not.

    Raises:
        BadInput: the game, a batch, or what a loss returns fails its check in `validate`.
    """
    check_game(game)

    def step(state: State, batch: Batch, frozen: Any = None, measured: Flag = True) -> tuple[State, Metrics]:
        check_batch(game, batch)
        frozen = frozen_variables(game) if frozen is None else frozen
        pretrained = {name: partial(each.apply, frozen[name]) for name, each in game.frozen.items()}
        with batch_axis(axis_name):
            key = jax.random.fold_in(state.key, state.step)
            players, played = state.players, []
            for i, (turn, slice_) in enumerate(zip(game.turns, slices(game), strict=True)):
                examples = {name: leaf[slice_] for name, leaf in batch.items()}
                keys = example_keys(jax.random.fold_in(key, i), len(next(iter(examples.values()))))
                dealt = Dealt(examples, keys, state.step, pretrained, measured if turn.every == 1 else True)
                play = partial(_play, game, turn, dealt)
                if turn.every == 1:
                    players, reports = play(players)
                else:
                    due = state.step % turn.every == 0
                    players, reports = jax.lax.cond(due, play, partial(_skip, play), players)
                played.append(reports)
            images = images_per_step(game, next(iter(batch.values())).shape[1] * device_count())
            for name in dict.fromkeys(name for turn in game.turns for move in turn.moves for name in move.who):
                players = players | {name: _update_ema(game.players[name], players[name], state.step, images)}
            return State(state.step + 1, state.key, players), _average(game, played, state.step)

    return step


def frozen_variables(game: Game) -> dict[str, Any]:
    """Reads the variables of the frozen networks."""
    return {name: each.variables() for name, each in game.frozen.items()}


def optimizers(game: Game, name: str) -> dict[Callable, optax.GradientTransformation]:
    """Returns a player's optimizer as the dynamics of its turns wrap it, by wrapper: each has a state of its own.

    Turns of one wrapper share the state: a plain main turn and a plain lazy turn are one Adam. An optimistic main turn
    and a plain lazy one are two, or the lazy update would extrapolate the main one.
    """
    turns = [turn for turn in game.turns if any(name in move.who for move in turn.moves)]
    wrappers = dict.fromkeys(turn.dynamics.optimizer for turn in turns) or [gradient_play.optimizer]
    return {wrap: wrap(game.players[name].tx) for wrap in wrappers}


def _init_player(player: Player, txs: dict, key: Key[Array, ""], args: tuple) -> PlayerState:
    variables = dict(player.net.init(key, *args))
    params = variables.pop("params", {})
    opt = tuple(tx.init(params) for tx in txs.values())
    ema = {"params": params, **variables} if player.ema else None
    return PlayerState(params, variables, opt if len(opt) > 1 else opt[0], ema)


def _play(game: Game, turn: Turn, dealt: Dealt, players: Players) -> tuple[Players, Reports]:
    """Plays one turn; with plain dynamics, `follow(field, joint)` is `field.gradients(joint)`."""
    joint = {name: players[name].params for move in turn.moves for name in move.who}
    field = _gradient_field(game, turn, dealt, players)
    grads, (stats, reports) = turn.dynamics.follow(field, joint)
    return _advance(game, turn, players, joint, grads, stats), _report(turn, reports, grads, dealt.measured)


def _gradient_field(game: Game, turn: Turn, dealt: Dealt, players: Players) -> Field:
    """Builds the field of a turn: at joint parameters, every mover's gradient of its own move's loss."""

    def loss(dealt: Dealt, players: Players, move: Move, joint: Joint, own: Joint) -> tuple[Float[Array, ""], Any]:
        nets = {**dealt.frozen, **bind(game, players, joint | own)}
        value, metrics = check_loss(move, move.loss(nets, *dealt[:3]))
        return value, ({name: nets[name].stats for name in move.who}, {"loss": value, **metrics})

    def of_part(joint: Joint, before: Joint, dealt: Dealt) -> tuple[Joint, Joint, Reports]:
        now = players | {name: players[name]._replace(stats=own) for name, own in before.items()}
        grads, stats, reports = {}, {}, {}
        for move in turn.moves:
            own, moved = {name: joint[name] for name in move.who}, partial(loss, dealt, now, move, joint)
            own_grads, (own_stats, reports[move.label]) = jax.grad(moved, has_aux=True)(own)
            grads |= own_grads
            stats |= own_stats
        return grads, stats, reports

    def gradients(joint: Joint) -> tuple[Joint, Any]:
        grads, stats, reports = _over_parts(game.parts, partial(of_part, joint), joint, before, dealt)
        # Other stats, such as spectral vectors or an image pool, have no mean over devices.
        stats = {name: own | pmean({k: own[k] for k in own.keys() & {"batch_stats"}}) for name, own in stats.items()}
        return pmean(grads), (stats, pmean(reports))

    mover = {name: move for move in turn.moves for name in move.who}
    before = {name: players[name].stats for name in mover}
    return Field(
        gradients=gradients,
        loss=lambda name, joint: loss(dealt, players, mover[name], joint, {})[0],
        descend=partial(_descend, game, turn),
        optimizers={name: players[name].opt for name in mover},
    )


def _over_parts(parts: int, play: Callable, joint: Joint, stats: Joint, dealt: Dealt) -> tuple[Joint, Joint, Reports]:
    """Averages gradients and metrics of `play(stats, dealt) -> (gradients, stats, metrics)` over parts of the batch."""
    if parts == 1:
        return play(stats, dealt)
    # A part is every `parts`-th example: where the batch is split over devices, each has its share of every part.
    data = (dealt.batch, dealt.keys)
    split = jax.tree.map(lambda leaf: jnp.moveaxis(leaf.reshape(-1, parts, *leaf.shape[1:]), 1, 0), data)

    def part(carry: tuple[Joint, Joint], own: tuple[Batch, Keys]) -> tuple[tuple[Joint, Joint], Reports]:
        grads, stats, reports = play(carry[1], dealt._replace(batch=own[0], keys=own[1]))
        return (jax.tree.map(jnp.add, carry[0], grads), stats), reports

    (total, stats), reports = jax.lax.scan(part, (jax.tree.map(jnp.zeros_like, joint), stats), split)
    return jax.tree.map(lambda sum_: sum_ / parts, total), stats, jax.tree.map(partial(jnp.mean, axis=0), reports)


def _advance(game: Game, turn: Turn, players: Players, joint: Joint, grads: Joint, stats: Joint) -> Players:
    """Advances every mover: parameters, new stats and optimizer. Returns all players."""
    moved, opts = _descend(game, turn, joint, grads, {name: players[name].opt for name in joint})
    return players | {name: PlayerState(moved[name], stats[name], opts[name], players[name].ema) for name in joint}


def _report(turn: Turn, reports: Reports, grads: Joint, measured: Flag) -> Reports:
    """Adds the norm of the gradient to every move's metrics; that of the update would have to be written to memory."""

    def norms() -> Metrics:
        own = {move.label: [grads[name] for name in move.who] for move in turn.moves}
        return {label: jnp.sqrt(optax.tree.vdot(g, g)) for label, g in own.items()}  # faster than a sum of squares

    found = jax.lax.cond(measured, norms, lambda: jax.tree.map(jnp.zeros_like, jax.eval_shape(norms)))
    return {label: report | {"grad_norm": found[label]} for label, report in reports.items()}


def _skip(play: Callable, players: Players) -> tuple[Players, Reports]:
    """Stands in for `play` where a lazy turn is not due: the same players, and metrics of 0."""
    return players, jax.tree.map(jnp.zeros_like, jax.eval_shape(play, players)[1])


def _descend(game: Game, turn: Turn, joint: Joint, grads: Joint, opts: Optimizers) -> tuple[Joint, Optimizers]:
    """Applies one update of every mover; returns the parameters and the optimizers' new states."""
    wrap, updates, opts = turn.dynamics.optimizer, {}, {**opts}
    for name in joint:
        txs = optimizers(game, name)
        states = list(opts[name]) if len(txs) > 1 else [opts[name]]
        own = list(txs).index(wrap)
        with jax.numpy_dtype_promotion("standard"):  # optax's Adam raises under strict promotion
            updates[name], states[own] = txs[wrap].update(grads[name], states[own], joint[name])
        opts[name] = tuple(states) if len(txs) > 1 else states[0]
    return optax.apply_updates(joint, updates), opts


def _update_ema(player: Player, now: PlayerState, step: Int[Array, ""], images: int) -> PlayerState:
    """Moves a player's average towards its variables by `Player.ema`, after a step of so many real images."""
    if now.ema is None:
        return now
    t = step.astype(jnp.float32)
    if callable(player.ema):
        decay = jnp.exp2(-images / jnp.maximum(player.ema((t + 1) * images), 1e-8))
    else:
        decay = jnp.minimum(player.ema, (1 + t) / (10 + t))  # a shorter window at first, to forget the initial weights

    def follow(average: Array, new: Array) -> Array:
        floating = jnp.issubdtype(new.dtype, jnp.floating)
        return average + (1 - decay).astype(new.dtype) * (new - average) if floating else new

    return now._replace(ema=jax.tree.map(follow, now.ema, {"params": now.params, **now.stats}))


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
