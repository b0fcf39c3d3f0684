"""The same game under jit, sharded jit, shard_map, pmap, loops and seeds: with SGD, which hides no scale."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from arena import BATCH, batches, every_game, play, sgd, step_batch

import arena
from gan_jax import BadInput, init, make_step
from gan_jax.parallel import (
    BATCH_AXIS,
    SEEDS,
    deal,
    make_mesh,
    over_devices,
    over_pmap,
    over_seeds,
    over_shards,
    over_steps,
)

STEPS = 2


def assert_close(a, b, rtol=2e-4, atol=2e-5):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(np.asarray(x), np.asarray(y), rtol=rtol, atol=atol)


@pytest.fixture(scope="module")
def reference():
    """Every game played on one device, once for all tests."""
    cache = {}

    def played(make_game):
        if make_game not in cache:
            game = make_game(sgd)
            start = init(game, jax.random.key(0), step_batch(game))
            data = batches(game, STEPS)
            cache[make_game] = (game, start, data, *play(jax.jit(make_step(game)), start, data))
        return cache[make_game]

    return played


@every_game
def test_eight_devices_under_jit(make_game, reference):
    game, start, data, state, reports = reference(make_game)
    assert len(jax.devices()) == 8
    shared, metrics = play(over_devices(make_step(game), make_mesh()), start, data)
    assert_close(shared.players, state.players)
    assert_close(metrics, reports)


@every_game
def test_eight_devices_under_shard_map(make_game, reference):
    game, start, data, state, reports = reference(make_game)
    shared, metrics = play(over_shards(make_step(game, BATCH_AXIS), make_mesh()), start, data)
    assert_close(shared.players, state.players)
    assert_close(metrics, reports)


@every_game
def test_eight_devices_under_pmap(make_game, reference):
    game, start, data, state, reports = reference(make_game)
    step = over_pmap(make_step(game, BATCH_AXIS))
    shared, metrics = play(lambda state, batch: step(state, deal(batch, 8)), start, data)
    assert_close(shared.players, state.players)
    assert_close(metrics, reports)


@every_game
def test_steps_in_one_dispatch(make_game, reference):
    game, start, data, state, reports = reference(make_game)
    chunk = jax.jit(over_steps(make_step(game), load=lambda arrays, x: {"x": x}))
    looped, means = chunk(start, (), data["x"], jnp.int32(STEPS))
    assert_close(looped.players, state.players)
    assert int(looped.step) == STEPS
    for name, mean in means.items():
        played = f"{name.rpartition('/')[0]}/played"
        times = STEPS if name == played else sum(float(m.get(played, 1.0)) for m in reports)
        np.testing.assert_allclose(mean, sum(float(m[name]) for m in reports) / times, rtol=1e-3, atol=1e-5)

    scanned, stacked = jax.lax.scan(make_step(game), start, data)
    assert_close(scanned.players, state.players)
    assert_close(stacked, jax.tree.map(lambda *m: jnp.stack(m), *reports))


@every_game
def test_seeds_in_one_program(make_game, reference):
    game, start, data, state, _ = reference(make_game)
    others = [jax.random.key(0), jax.random.key(5)]
    starts = jax.vmap(lambda key: init(game, key, step_batch(game)), out_axes=SEEDS)(jnp.stack(others))
    lanes, _ = play(
        jax.jit(over_seeds(make_step(game))), starts, {"x": jnp.stack([data["x"]] * 2, axis=1)}
    )
    first = jax.tree.map(lambda leaf: leaf[0], lanes.players)
    assert_close(first, state.players)
    second = jax.tree.map(lambda leaf: leaf[1], lanes.players)
    assert any(not np.allclose(x, y) for x, y in zip(*map(jax.tree.leaves, (first, second)), strict=True))


def test_chunks_of_any_length_are_one_program_with_the_same_bits():
    """4 steps in one dispatch, or 1 and then 3: one trace, and not a bit of difference."""
    game = arena.vanilla_dropout(arena.adam)
    data = batches(game, 4)["x"]
    traces = []

    def load(arrays, x):
        traces.append(1)
        return {"x": x}

    chunk = jax.jit(over_steps(make_step(game), load))
    start = init(game, jax.random.key(0), step_batch(game))
    whole, _ = chunk(start, (), data, jnp.int32(4))
    traced = len(traces)
    part, _ = chunk(start, (), data, jnp.int32(1))
    part, _ = chunk(part, (), jnp.roll(data, -1, axis=0), jnp.int32(3))
    assert len(traces) == traced
    for x, y in zip(jax.tree.leaves(whole.players), jax.tree.leaves(part.players), strict=True):
        np.testing.assert_array_equal(x, y)


def test_a_lazy_turn_stays_lazy_over_seeds():
    """A `cond` on a batched step count would become a select that runs both branches."""
    game = arena.lazy_r1(sgd)
    starts = jax.vmap(lambda key: init(game, key, step_batch(game)), out_axes=SEEDS)(
        jax.random.split(jax.random.key(0), 2)
    )
    batch = {"x": jnp.stack([step_batch(game)["x"]] * 2)}
    jaxpr = jax.make_jaxpr(over_seeds(make_step(game)))(starts, batch)
    assert " cond[" in str(jaxpr)


def test_a_batch_that_the_devices_cannot_share_is_refused():
    game = arena.simultaneous(sgd)
    with pytest.raises(BadInput, match=f"a batch of {BATCH} cannot be shared by 3 devices"):
        deal(step_batch(game), 3)
