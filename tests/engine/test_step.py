"""Properties of a step, for every game of the arena."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import arena
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from arena import (
    STEPS,
    d_loss,
    every_game,
    every_game_slow_except,
    g_loss,
    games,
    gan,
    play,
    reference,
    sgd,
    started,
    step_batch,
)

from gan_jax import BadInput, init, make_step, move, turn
from gan_jax.engine.dynamics import Dynamics
from gan_jax.engine.game import images_per_step
from gan_jax.engine.keys import example_keys
from gan_jax.engine.networks import bind
from gan_jax.engine.step import frozen_variables
from gan_jax.engine.validate import RESERVED
from gan_jax.training.chunk import mean, over_steps

plain_nets = arena.Generator(norm=False), arena.Discriminator()


def structure(tree):
    return jax.tree.map(lambda leaf: (jnp.shape(leaf), leaf.dtype), tree)


def same_bits(a, b):
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return all(np.array_equal(np.asarray(x), np.asarray(y)) for x, y in pairs)


def changed(before, after):
    return not same_bits(before, after)


@pytest.mark.medium
@every_game_slow_except(
    arena.vanilla_batch_norm,
    arena.vanilla_dropout,
    arena.lazy_r1,
    arena.consensus_play,
    arena.labeled,
    arena.recognized_codes,
)
def test_steps_are_finite_move_every_player_keep_the_tree_and_trace_once(make_game):
    game, start, _, end, reports, traces, _ = reference(make_game)
    assert traces == 1
    assert structure(start) == structure(end)
    assert int(end.step) == STEPS
    for metrics in reports:
        assert all(bool(jnp.isfinite(value)) and value.shape == () for value in metrics.values())
    for leaf in jax.tree.leaves(end.players):
        assert bool(jnp.all(jnp.isfinite(leaf)))
    for name in game.players:
        before, after = (state.players[name] for state in (start, end))
        assert changed(before.params or before.stats, after.params or after.stats), name
    for each in (m for t in game.turns for m in t.moves):
        assert {f"{each.label}/loss", f"{each.label}/grad_norm"} <= reports[0].keys()
        learns = any(start.players[name].params for name in each.who)
        assert (float(reports[0][f"{each.label}/grad_norm"]) > 0) == learns


@pytest.mark.medium
@games(arena.vanilla_dropout, arena.lazy_r1, arena.lookahead_play)
def test_donated_state_gives_the_same_values(make_game):
    """Up to rounding: XLA may fuse the program with donated buffers in another way. Chunks do it with every game."""
    game, start, data, end, *_ = reference(make_game)
    donated, _ = play(jax.jit(make_step(game), donate_argnums=0), jax.tree.map(jnp.copy, start), data)
    for x, y in zip(jax.tree.leaves(end.players), jax.tree.leaves(donated.players), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-7)
    assert same_bits(jax.random.key_data(end.key), jax.random.key_data(donated.key))


@pytest.mark.medium
@every_game
def test_leaves_of_a_new_state_share_no_buffer(make_game):
    """Leaves that share a buffer cannot both be donated."""
    leaves = jax.tree.leaves(started(make_game)[1].players)
    assert len({leaf.unsafe_buffer_pointer() for leaf in leaves}) == len(leaves)


@pytest.mark.medium
@every_game
def test_turn_leaves_other_players_unchanged(make_game):
    """In the traced step, each output of a player that does not move is the input variable itself."""
    game, start = started(make_game)
    leaves, structure = jax.tree.flatten(start)
    for only in dict.fromkeys(game.turns):
        movers = {name for m in only.moves for name in m.who}
        alone = game._replace(turns=(only._replace(every=1),), clock=min(movers))
        jaxpr = jax.make_jaxpr(make_step(alone))(start, step_batch(alone)).jaxpr
        same = [x is y for x, y in zip(jaxpr.invars, jaxpr.outvars[: len(leaves)], strict=False)]
        players = jax.tree.unflatten(structure, same).players
        for name in game.players:
            if name in movers:
                assert not any(jax.tree.leaves(players[name].params)), name
            else:
                assert all(jax.tree.leaves(players[name])), name


def test_run_is_a_function_of_the_key():
    game, start, data, end, _, _, step = reference(arena.vanilla_dropout)
    again, _ = play(step, init(game, jax.random.key(0), step_batch(game)), data)
    assert same_bits(end.players, again.players)
    other, _ = play(step, start._replace(key=jax.random.key(9)), data)
    assert changed(end.players, other.players)


def test_frozen_networks_are_arguments_of_the_step_and_in_no_state():
    """Left out, they are read and become constants of the program, with the same values."""
    game, state = arena.started(arena.translation)
    batch, frozen, step = step_batch(game), frozen_variables(game), make_step(game)
    assert "features" not in state.players and frozen["features"].shape == arena.COLORS.shape

    def constants(*args):
        return [np.shape(const) for const in jax.make_jaxpr(step)(state, batch, *args).consts]

    assert arena.COLORS.shape in constants() and arena.COLORS.shape not in constants(frozen)
    (_, as_argument), (_, as_constant), (_, other) = (
        jax.jit(step)(state, batch, *args) for args in ((frozen,), (), ({"features": 2 * arena.COLORS},))
    )
    assert as_argument["g/perceptual"] == as_constant["g/perceptual"] != other["g/perceptual"]


def test_a_frozen_network_has_a_name_of_its_own():
    game = arena.translation(optax.sgd(0.1))
    with pytest.raises(BadInput, match="'g' is a player and a frozen network"):
        make_step(game._replace(frozen={"g": arena.FEATURES}))


def test_lazy_turn_is_played_and_reported_every_k_steps():
    reports = reference(arena.lazy_r1).reports
    assert [float(m["r1/played"]) for m in reports] == [1, 0, 1]
    assert [float(m["r1/loss"]) > 0 for m in reports] == [True, False, True]
    assert "d/played" not in reports[0]


@pytest.mark.medium
def test_turns_with_one_label_report_their_mean():
    """Two turns at learning rate 0 on different data; the step reports the mean of their scores."""
    still = optax.sgd(0.0)
    d = turn(move("d", d_loss))
    twice, once = gan(*plain_nets, still, (d, d)), gan(*plain_nets, still, (d,))
    x = step_batch(twice)["x"]
    start = init(twice, jax.random.key(0), {"x": x})
    both = jax.jit(make_step(twice))(start, {"x": x})[1]["d/score_real"]
    step = jax.jit(make_step(once))
    each = [step(start, {"x": x[i : i + 1]})[1]["d/score_real"] for i in range(2)]
    np.testing.assert_allclose(both, (each[0] + each[1]) / 2, rtol=1e-5)
    assert abs(each[0] - each[1]) > 1e-6


def spying(who: str, name: str, every: int = 1):
    """Makes a turn whose loss is the mean of its real data."""

    def loss(nets, batch, keys, step):
        return jnp.mean(batch["x"]) + 0 * sum(jnp.sum(leaf) for leaf in jax.tree.leaves(nets[who].params)), {}

    return turn(move(who, loss, name=name), every=every)


@pytest.mark.medium
@pytest.mark.parametrize(
    "movers, seen",
    [("dg", [0, 0]), ("gd", [0, 0]), ("ddg", [0, 1, 1]), ("dgdg", [0, 0, 1, 1]), ("ggddgL", [0, 0, 0, 1, 1, 1])],
)
def test_only_turns_of_the_clock_are_dealt_real_data_and_others_see_the_slice_before_them(movers, seen):
    """`L` is a lazy turn of the discriminator."""
    turns = tuple(spying(w.replace("L", "d"), f"turn {i}", 1 + (w == "L")) for i, w in enumerate(movers))
    game = gan(*plain_nets, sgd, turns)
    batch = step_batch(game)
    assert batch["x"].shape[0] == max(seen) + 1 == images_per_step(game, 1)
    _, metrics = jax.jit(make_step(game))(init(game, jax.random.key(0), batch), batch)
    got = [metrics[f"turn {i}/loss"] for i in range(len(turns))]
    np.testing.assert_allclose(got, np.asarray(batch["x"].mean((1, 2, 3, 4)))[seen], rtol=1e-6)


@pytest.mark.medium
def test_moves_of_one_turn_start_from_the_same_state():
    """Within one turn the generator plays against the old discriminator, in a later turn against the updated one."""
    d, g = move("d", d_loss), move("g", g_loss)
    together, only_g = gan(*plain_nets, sgd, (turn(d, g),)), gan(*plain_nets, sgd, (turn(g),), clock="g")
    batch = step_batch(together)
    start = init(together, jax.random.key(0), batch)
    after_both, _ = jax.jit(make_step(together))(start, batch)
    after_g, _ = jax.jit(make_step(only_g))(start, batch)
    in_turns = gan(*plain_nets, sgd, (turn(d), turn(g)))
    after_turns, _ = jax.jit(make_step(in_turns))(start, step_batch(in_turns))
    both, only, turns = (
        jax.flatten_util.ravel_pytree(state.players["g"].params)[0] for state in (after_both, after_g, after_turns)
    )
    np.testing.assert_allclose(both, only, rtol=1e-5, atol=1e-7)
    assert not np.allclose(both, turns, rtol=1e-5, atol=1e-7)


def test_one_step_of_gradient_play_equals_gradient_descent_by_hand():
    game = gan(*plain_nets, sgd, (turn(move("d", d_loss)),))
    batch = step_batch(game)
    start = init(game, jax.random.key(0), batch)
    state, metrics = jax.jit(make_step(game))(start, batch)
    keys = example_keys(jax.random.fold_in(jax.random.fold_in(start.key, 0), 0), arena.BATCH)

    def loss(params):
        nets = bind(game, start.players, {"d": params})
        return d_loss(nets, {"x": batch["x"][0]}, keys, start.step)[0]

    value, gradient = jax.jit(jax.value_and_grad(loss))(start.players["d"].params)
    by_hand = jax.tree.map(lambda p, g: p - 0.05 * g, start.players["d"].params, gradient)
    for ours, theirs in zip(jax.tree.leaves(state.players["d"].params), jax.tree.leaves(by_hand), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(metrics["d/loss"], value, rtol=1e-6)
    np.testing.assert_allclose(metrics["d/grad_norm"], optax.tree.norm(gradient), rtol=1e-5)


def test_dynamics_may_evaluate_the_field_at_several_points():
    """Extragradient on a quadratic loss: the gradient is taken at the point that gradient play would reach."""

    def look_ahead(field, params):
        ahead = jax.tree.map(lambda p, g: p - 0.5 * g, params, field.gradients(params)[0])
        return field.gradients(ahead)

    def bowl(nets, batch, keys, step):
        flat = jax.flatten_util.ravel_pytree(nets["d"].params)[0]
        return jnp.sum(flat**2) / 2, {}

    def played(**dynamics):
        game = gan(*plain_nets, sgd, (turn(move("d", bowl), **dynamics),))
        start = init(game, jax.random.key(0), step_batch(game))
        state, _ = jax.jit(make_step(game))(start, step_batch(game))
        return start.players["d"].params, state.players["d"].params

    start, plain = played()
    _, looked_ahead = played(dynamics=Dynamics(look_ahead))
    for p, q, r in zip(*map(jax.tree.leaves, (start, plain, looked_ahead)), strict=True):
        np.testing.assert_allclose(q, 0.95 * p, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(r, (1 - 0.05 * 0.5) * p, rtol=1e-5, atol=1e-7)


@pytest.mark.slow
def test_program_of_a_step_does_not_depend_on_the_hash_seed():
    """Otherwise another process would not find it in the compilation cache, and might round differently."""
    program = (
        "import arena, jax, zlib; from gan_jax import make_step; game, state = arena.started(arena.pyramid)\n"
        "print(zlib.crc32(jax.jit(make_step(game)).lower(state, arena.step_batch(game)).as_text().encode()))"
    )

    def lowered(seed):
        helpers = os.pathsep.join((str(Path(arena.__file__).parent), *sys.path))
        environment = os.environ | {"PYTHONHASHSEED": str(seed), "PYTHONPATH": helpers}
        return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True).stdout

    assert len({lowered(seed) for seed in range(1, 5)}) == 1


@pytest.mark.medium
@pytest.mark.parametrize(
    "ema, decays",
    [(0.15, [0.1, 0.15, 0.15]), (lambda images: images / 2, [2**-2, 2**-1, 2 ** (-2 / 3)])],
    ids=["number", "half-life in images"],
)
def test_ema_moves_once_a_step_however_often_the_player_moves(ema, decays):
    """As a schedule, its half-life here is half of the images shown: 2 / (t + 1) half-lives pass in step t."""
    g = turn(move("g", g_loss))
    lazy = g._replace(every=2)
    game = gan(*plain_nets, sgd, (turn(move("d", d_loss)), turn(move("d", d_loss)), g, g, lazy), ema=ema)
    batch = step_batch(game)
    state, step = init(game, jax.random.key(0), batch), jax.jit(make_step(game))
    for decay in decays:
        before, (state, _) = state.players["g"], step(state, batch)
        expected = optax.incremental_update({"params": state.players["g"].params}, before.ema, 1 - decay)
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-7), state.players["g"].ema, expected)


@pytest.mark.medium
def test_ema_averages_params_and_stats_and_ema_networks_use_it():
    game, start, *_, step = reference(arena.slow_generator)
    state, _ = step(start, step_batch(game))
    before, after = start.players["g"], state.players["g"]
    expected = jax.tree.map(  # the decay of step 0 is 1 / 10
        lambda slow, fast: 0.1 * slow + 0.9 * fast, before.ema, {"params": after.params, **after.stats}
    )
    for ours, theirs in zip(jax.tree.leaves(after.ema), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)
    z = jnp.ones((4, arena.Z))
    np.testing.assert_array_equal(bind(game, state.players)["g"].ema(z), arena.Generator().apply(after.ema, z))


def test_stateless_call_records_no_stats():
    net = arena.Discriminator(norm=True)
    game = gan(arena.Generator(), net, sgd, (turn(move("d", d_loss)),))
    batch = step_batch(game)
    nets = bind(game, init(game, jax.random.key(0), batch).players)
    before = nets["d"].stats
    x = batch["x"][0]
    stateless = nets["d"].stateless(x)
    assert same_bits(before, nets["d"].stats)
    np.testing.assert_array_equal(stateless, nets["d"](x))
    assert changed(before, nets["d"].stats)


def test_bound_networks_keep_old_method_names():
    net, z = (
        bind(reference(arena.slow_generator).game, reference(arena.slow_generator).end.players)["g"],
        jnp.ones((4, arena.Z)),
    )
    for each in (net, net.wrap(lambda call, z: call(z)), net.through(lambda call, z: call(z))):
        np.testing.assert_array_equal(each.frozen(z), each.stateless(z))
        np.testing.assert_array_equal(each.slow(z), each.ema(z))


@pytest.mark.medium
def test_adding_a_player_leaves_others_parameters_unchanged():
    two, three = reference(arena.simultaneous).start, reference(arena.two_discriminators).start
    assert same_bits(two.players["g"], three.players["g"])


def test_images_per_step_count_the_clock_players_unlazy_turns():
    counted = {
        arena.vanilla_batch_norm: 10,  # one discriminator turn, two generator turns
        arena.five_critic_turns: 50,
        arena.lazy_r1: 10,
        arena.cycle: 10,
    }
    for make_game, images in counted.items():
        assert images_per_step(make_game(sgd), 10) == images


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        ((), "at least one turn"),
        ((turn(),), "turn 0 has no mover"),
        ((turn(move("q", g_loss)),), "turn 0 moves 'q', an unknown player: choose one of"),
        ((turn(move("d", d_loss), move("d", d_loss)),), "'d' moves twice in turn 0"),
        ((turn(move("d", d_loss, name="x"), move("g", g_loss, name="x")),), "both called 'x'"),
        ((turn(move("d", d_loss), every=0),), "every=0"),
        ((turn(move("g", g_loss)),), "the clock is 'd', who does not move"),
    ],
)
def test_inconsistent_game_is_refused(turns, message):
    game = gan(*plain_nets, sgd, turns)
    with pytest.raises(BadInput, match=message):
        make_step(game)


def test_a_prior_that_is_a_function_is_refused():
    game = gan(*plain_nets, sgd, (turn(move("d", d_loss)),))._replace(prior=lambda keys: {})
    with pytest.raises(BadInput, match="the prior must be declared: give distributions by name, as in prior="):
        make_step(game)


def test_batch_without_a_slice_per_turn_of_the_clock_is_refused():
    game, state, *_ = reference(arena.vanilla_batch_norm)
    with pytest.raises(BadInput, match="2 slices where a step takes 1, one for each turn of 'd'"):
        make_step(game)(state, {"x": jnp.zeros((2, 6, 2, 2, 1))})


@pytest.mark.medium
def test_turns_with_one_label_but_different_metrics_are_refused():
    r1 = move("d", lambda nets, batch, keys, step: (jnp.mean(nets["d"](batch["x"])), {}))
    game = gan(*plain_nets, sgd, (turn(move("d", d_loss)), turn(r1, every=2)))
    batch = step_batch(game)
    with pytest.raises(BadInput, match="two turns called 'd' report different metrics"):
        make_step(game)(init(game, jax.random.key(0), batch), batch)


RETURNED = {
    "a vector loss": (lambda loss: (loss[None], {}), "'loss' of move 'd' is float32[1]: return a float scalar"),
    "an integer loss": (lambda loss: (loss.astype(int), {}), "'loss' of move 'd' is int32[]: return a float scalar"),
    "a loss alone": (lambda loss: loss, "move 'd': the loss must return (scalar, metrics), not a"),
    "three things": (lambda loss: (loss, {}, {}), "move 'd': the loss must return (scalar, metrics), not a tuple"),
    "no dict": (lambda loss: (loss, loss), "move 'd': the loss must return (scalar, metrics)"),
    "a vector": (lambda loss: (loss, {"s_real": loss[None]}), "'s_real' of move 'd' is float32[1]: return a float sca"),
    "a truth": (lambda loss: (loss, {"won": loss > 0}), "'won' of move 'd' is bool[]: return a float scalar"),
} | {
    f"a report of {name}": (lambda loss, name=name: (loss, {name: loss}), f"move 'd' reports {name!r}, a metric of eve")
    for name in ("loss", "grad_norm", "played", "finite_steps")
}


@pytest.mark.parametrize("returned", RETURNED)
def test_a_loss_must_return_a_scalar_and_scalars_under_names_of_their_own(returned):
    """A report called `loss` would replace the true one, and a sum of truths over steps is true or false."""
    change, message = RETURNED[returned]
    altered = move("d", lambda *args: change(d_loss(*args)[0]))
    game = gan(*plain_nets, sgd, (turn(altered), turn(move("g", g_loss))))
    batch = step_batch(game)
    state = jax.eval_shape(lambda: init(game, jax.random.key(0), batch))
    with pytest.raises(BadInput) as raised:
        jax.eval_shape(make_step(game), state, batch)
    assert message in str(raised.value) and len(str(raised.value).splitlines()) == 1


def test_reserved_names_are_what_a_chunk_reports_of_a_lazy_move_without_metrics_of_its_own():
    game, start, *_ = reference(arena.lazy_r1)
    chunk = over_steps(make_step(game), lambda arrays, i: arrays)
    metrics = jax.eval_shape(
        lambda *args: mean(chunk(*args)[1]), start, step_batch(game), jnp.zeros(1, int), jnp.int32(1)
    )
    assert {name.removeprefix("r1/") for name in metrics if name.startswith("r1/")} == RESERVED
