"""Runs over devices (jit, shard_map, pmap), chunks, scan and seeds equal a plain run; SGD exposes wrong scales."""

from functools import cache

import arena
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from arena import BATCH, STEPS, every_game_slow_except, games, play, reference, step_batch
from jax.sharding import NamedSharding, PartitionSpec

from gan_jax import BadInput, State, init, make_step, move, turn
from gan_jax.engine.parallel import BATCH_AXIS, SEEDS, deal, make_mesh, over_devices, over_pmap, over_seeds, over_shards
from gan_jax.monitoring.finite import FINITE_STEPS
from gan_jax.nets.layers.normalization import BatchNorm
from gan_jax.training.chunk import mean, over_steps


def assert_close(a, b, rtol=2e-4, atol=2e-5):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(np.asarray(x), np.asarray(y), rtol=rtol, atol=atol)


def assert_same_run_on_eight_devices(make_game, step):
    game, start, data, end, reports, *_ = reference(make_game)
    assert len(jax.devices()) == 8
    # Replicated from the start: a state on one device would compile the first step separately.
    replicated = jax.device_put(start, NamedSharding(make_mesh(), PartitionSpec()))
    state, metrics = play(step(game), replicated, data)
    assert_close(state.players, end.players)
    assert_close(metrics, reports)


@every_game_slow_except(arena.vanilla_batch_norm, arena.lazy_r1)
def test_eight_devices_under_jit_equal_one(make_game):
    assert_same_run_on_eight_devices(make_game, lambda game: over_devices(make_step(game), make_mesh()))


@every_game_slow_except(arena.vanilla_dropout, arena.vanilla_batch_norm, arena.lazy_r1, arena.consensus_play)
def test_eight_devices_under_shard_map_equal_one(make_game):
    assert_same_run_on_eight_devices(make_game, lambda game: over_shards(make_step(game, BATCH_AXIS), make_mesh()))


@every_game_slow_except(arena.vanilla_dropout, arena.lazy_r1)
def test_eight_devices_under_pmap_equal_one(make_game):
    def step(game):
        pmapped = over_pmap(make_step(game, BATCH_AXIS))
        return lambda state, batch: pmapped(state, deal(batch, 8))

    assert_same_run_on_eight_devices(make_game, step)


@cache
def chunk(make_game):
    """Compiles the chunk of a game, which is given its state as in training, and a list that grows with every trace."""
    traces = []

    def load(arrays, batch):
        traces.append(1)
        return batch

    return jax.jit(over_steps(make_step(reference(make_game).game), load), donate_argnums=0), traces


def assert_means(means, reports):
    """Checks that a chunk's metrics are means over the steps in which the move was played, all finite.

    The gradient norm of a move of every step is that of the last one.
    """
    finite = [means.pop(name) for name in sorted(means) if name.endswith(FINITE_STEPS)]
    assert finite == [STEPS] * len({name.partition("/")[0] for name in means})
    for name, value in means.items():
        played = f"{name.rpartition('/')[0]}/played"
        if name.endswith("/grad_norm") and played not in means:
            np.testing.assert_allclose(value, reports[-1][name], rtol=1e-3, atol=1e-5)
            continue
        times = STEPS if name == played else sum(float(m.get(played, 1.0)) for m in reports)
        np.testing.assert_allclose(value, sum(float(m[name]) for m in reports) / times, rtol=1e-3, atol=1e-5)


@every_game_slow_except(arena.vanilla_dropout, arena.lazy_r1)
def test_chunk_equals_single_steps(make_game):
    _, start, data, end, reports, *_ = reference(make_game)
    state, sums = chunk(make_game)[0](jax.tree.map(jnp.copy, start), (), data, jnp.int32(STEPS))
    assert_close(state.players, end.players)
    assert int(state.step) == STEPS
    assert_means(mean(sums), reports)


@games(arena.vanilla_dropout, arena.lazy_r1)
def test_scan_equals_single_steps(make_game):
    """A chunk is a scan too, and is played with every game."""
    game, start, data, end, reports, *_ = reference(make_game)
    state, stacked = jax.lax.scan(make_step(game), start, data)
    assert_close(state.players, end.players)
    assert_close(stacked, jax.tree.map(lambda *m: jnp.stack(m), *reports))


def two_seeds(make_game):
    """Makes states `[2, ...]` and batches `[N, 2, ...]`: the reference run, and another key on negated images."""
    _, start, data, *_ = reference(make_game)
    other = start._replace(key=jax.random.key(5))
    starts = State(start.step, *jax.tree.map(lambda *leaves: jnp.stack(leaves), start[1:], other[1:]))
    name = "x" if "x" in data else "a"
    return starts, jax.tree.map(lambda *leaves: jnp.stack(leaves, axis=1), data, data | {name: -data[name]})


def assert_first_lane_is_the_reference(lanes, make_game):
    first, second = (jax.tree.map(lambda leaf, i=i: leaf[i], lanes.players) for i in range(2))
    assert_close(first, reference(make_game).end.players)
    assert changed(first, second)


@every_game_slow_except(arena.vanilla_batch_norm, arena.lazy_r1)
def test_chunk_over_seeds_equals_single_runs(make_game):
    game, _, _, _, reports, *_ = reference(make_game)
    starts, both = two_seeds(make_game)
    lanes = jax.vmap(over_steps(make_step(game), lambda arrays, batch: batch), (SEEDS, None, 1, None), (SEEDS, 0))
    lanes, sums = jax.jit(lanes)(starts, (), both, jnp.int32(STEPS))
    assert int(lanes.step) == STEPS
    assert_first_lane_is_the_reference(lanes, make_game)
    assert_means(mean(jax.tree.map(lambda leaf: leaf[0], sums)), reports)


@games(arena.lazy_r1)
def test_step_over_seeds_equals_single_runs(make_game):
    """A chunk over seeds has this step, and is played with every game."""
    lanes, _ = play(jax.jit(over_seeds(make_step(reference(make_game).game))), *two_seeds(make_game))
    assert_first_lane_is_the_reference(lanes, make_game)


def test_chunks_of_any_length_share_one_program_and_give_the_same_bits():
    _, start, data, *_ = reference(arena.vanilla_dropout)
    play_chunk, traces = chunk(arena.vanilla_dropout)
    whole, _ = play_chunk(jax.tree.map(jnp.copy, start), (), data, jnp.int32(STEPS))
    traced = len(traces)
    part, _ = play_chunk(jax.tree.map(jnp.copy, start), (), data, jnp.int32(1))
    part, _ = play_chunk(part, (), {"x": jnp.roll(data["x"], -1, axis=0)}, jnp.int32(STEPS - 1))
    assert len(traces) == traced
    for x, y in zip(jax.tree.leaves(whole.players), jax.tree.leaves(part.players), strict=True):
        np.testing.assert_array_equal(x, y)


def test_lazy_turn_stays_a_cond_over_seeds():
    """A `cond` on a batched step count would become a select that runs both branches."""
    game, start, *_ = reference(arena.lazy_r1)
    starts = State(start.step, *jax.tree.map(lambda leaf: leaf[None], start[1:]))
    jaxpr = jax.make_jaxpr(over_seeds(make_step(game)))(starts, {"x": step_batch(game)["x"][None]})
    assert " cond[" in str(jaxpr)


class Pooling(nn.Module):
    """A discriminator with a pool of the two first examples, and statistics of the batch."""

    @nn.compact
    def __call__(self, x):
        pool = self.variable("pool", "x", lambda: jnp.zeros_like(x[:2]))
        if not self.is_initializing():
            pool.value = x[:2]
        return nn.Dense(1)(BatchNorm()(x.reshape(x.shape[0], -1)))[:, 0]


def test_devices_average_batch_statistics_and_nothing_else():
    """The first two examples of the whole batch are those of the first device; a mean over devices would blend."""
    game = arena.gan(arena.Generator(), Pooling(), arena.sgd, (turn(move("d", arena.d_loss)),))
    batch = step_batch(game)
    start = init(game, jax.random.key(0), batch)
    plain, _ = jax.jit(make_step(game))(start, batch)
    sharded, _ = over_shards(make_step(game, BATCH_AXIS), make_mesh())(start, batch)
    assert_close(sharded.players, plain.players)
    assert np.abs(plain.players["d"].stats["pool"]["x"]).max() > 0.1
    assert changed(plain.players["d"].stats["batch_stats"], start.players["d"].stats["batch_stats"])


def changed(a, b):
    return any(not np.allclose(x, y) for x, y in zip(*map(jax.tree.leaves, (a, b)), strict=True))


def test_batch_not_divisible_by_devices_is_refused():
    with pytest.raises(BadInput, match=f"a batch of {BATCH} cannot be split over 3 devices"):
        deal({"x": jnp.zeros((1, BATCH, 1))}, 3)


def test_chunk_in_parts_has_the_bits_and_the_metrics_of_a_whole_one():
    """Also those of a lazy move, which is not played in every part, and of a move that is not finite at some step."""

    def step(state, batch, measured):
        x = batch["x"].sum()
        played = (state.step % 4 == 0).astype(jnp.float32)
        fine = {"d/loss": x / 3, "d/score": jnp.sqrt(jnp.abs(x)), "r1/loss": played * x, "r1/played": played}
        fine |= {"d/grad_norm": jnp.where(measured, x, 0), "r1/grad_norm": played * x, "d/own/grad_norm": x}
        return state._replace(step=state.step + 1), fine | {"g/loss": jnp.where(state.step == 5, jnp.nan, x)}

    start, data = State(jnp.int32(0), jax.random.key(0), {}), {"x": jax.random.normal(jax.random.key(1), (9, 3))}
    chunk = jax.jit(over_steps(step, lambda arrays, batch: batch))
    _, whole = chunk(start, (), data, jnp.int32(9))
    state, sums = start, None
    for first, last in ((0, 2), (2, 3), (3, 9)):
        rows = {"x": jnp.zeros((9, 3)).at[: last - first].set(data["x"][first:last])}
        state, sums = chunk(state, (), rows, jnp.int32(last - first), sums)
    assert int(state.step) == 9
    for name, value in mean(whole).items():
        np.testing.assert_array_equal(mean(sums)[name], value, err_msg=name)
    sums_of_rows = np.asarray(data["x"]).sum(axis=1)
    np.testing.assert_allclose(mean(sums)["d/grad_norm"], sums_of_rows[-1], rtol=1e-6)  # of the last step
    np.testing.assert_allclose(mean(sums)["d/own/grad_norm"], sums_of_rows.mean(), rtol=1e-5)
    np.testing.assert_allclose(mean(sums)["r1/grad_norm"], sums_of_rows[::4].mean(), rtol=1e-6)
    assert mean(sums)["g/finite_steps"] == 5 and mean(sums)["d/finite_steps"] == 9
