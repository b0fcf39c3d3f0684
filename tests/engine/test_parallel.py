"""The same game under jit, sharded jit, shard_map, pmap, loops and seeds: with SGD, which hides no scale."""

import arena
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from arena import BATCH, STEPS, every_game, play, reference, step_batch

from gan_jax import BadInput, State, make_step
from gan_jax.engine.finite import FINITE_STEPS
from gan_jax.engine.parallel import (
    BATCH_AXIS,
    deal,
    make_mesh,
    over_devices,
    over_pmap,
    over_seeds,
    over_shards,
    over_steps,
)


def assert_close(a, b, rtol=2e-4, atol=2e-5):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(np.asarray(x), np.asarray(y), rtol=rtol, atol=atol)


@every_game
def test_eight_devices_under_jit(make_game):
    game, start, data, state, reports, _ = reference(make_game)
    assert len(jax.devices()) == 8
    shared, metrics = play(over_devices(make_step(game), make_mesh()), start, data)
    assert_close(shared.players, state.players)
    assert_close(metrics, reports)


@every_game
def test_eight_devices_under_shard_map(make_game):
    game, start, data, state, reports, _ = reference(make_game)
    shared, metrics = play(over_shards(make_step(game, BATCH_AXIS), make_mesh()), start, data)
    assert_close(shared.players, state.players)
    assert_close(metrics, reports)


@every_game
def test_eight_devices_under_pmap(make_game):
    game, start, data, state, reports, _ = reference(make_game)
    step = over_pmap(make_step(game, BATCH_AXIS))
    shared, metrics = play(lambda state, batch: step(state, deal(batch, 8)), start, data)
    assert_close(shared.players, state.players)
    assert_close(metrics, reports)


@every_game
def test_steps_in_one_dispatch(make_game):
    game, start, data, state, reports, _ = reference(make_game)
    chunk = jax.jit(over_steps(make_step(game), load=lambda arrays, batch: batch))
    looped, means = chunk(start, (), data, jnp.int32(STEPS))
    assert_close(looped.players, state.players)
    assert int(looped.step) == STEPS
    sound = [means.pop(name) for name in sorted(means) if name.endswith(FINITE_STEPS)]
    assert sound == [STEPS] * len({name.partition("/")[0] for name in means})
    for name, mean in means.items():
        played = f"{name.rpartition('/')[0]}/played"
        times = STEPS if name == played else sum(float(m.get(played, 1.0)) for m in reports)
        np.testing.assert_allclose(mean, sum(float(m[name]) for m in reports) / times, rtol=1e-3, atol=1e-5)

    scanned, stacked = jax.lax.scan(make_step(game), start, data)
    assert_close(scanned.players, state.players)
    assert_close(stacked, jax.tree.map(lambda *m: jnp.stack(m), *reports))


@every_game
def test_seeds_in_one_program(make_game):
    game, start, data, state, *_ = reference(make_game)
    other = start._replace(key=jax.random.key(5))
    starts = State(start.step, *jax.tree.map(lambda *leaves: jnp.stack(leaves), start[1:], other[1:]))
    both = jax.tree.map(lambda *leaves: jnp.stack(leaves, axis=1), data, data | {"x": -data["x"]})
    lanes, _ = play(jax.jit(over_seeds(make_step(game))), starts, both)
    first = jax.tree.map(lambda leaf: leaf[0], lanes.players)
    assert_close(first, state.players)
    second = jax.tree.map(lambda leaf: leaf[1], lanes.players)
    assert any(not np.allclose(x, y) for x, y in zip(*map(jax.tree.leaves, (first, second)), strict=True))


def test_chunks_of_any_length_are_one_program_with_the_same_bits():
    """All steps in one dispatch, or one and then the rest: one trace, and not a bit of difference."""
    game, start, data, *_ = reference(arena.vanilla_dropout)
    traces = []

    def load(arrays, x):
        traces.append(1)
        return {"x": x}

    chunk = jax.jit(over_steps(make_step(game), load))
    whole, _ = chunk(start, (), data["x"], jnp.int32(STEPS))
    traced = len(traces)
    part, _ = chunk(start, (), data["x"], jnp.int32(1))
    part, _ = chunk(part, (), jnp.roll(data["x"], -1, axis=0), jnp.int32(STEPS - 1))
    assert len(traces) == traced
    for x, y in zip(jax.tree.leaves(whole.players), jax.tree.leaves(part.players), strict=True):
        np.testing.assert_array_equal(x, y)


def test_a_lazy_turn_stays_lazy_over_seeds():
    """A `cond` on a batched step count would become a select that runs both branches."""
    game, start, *_ = reference(arena.lazy_r1)
    starts = State(start.step, *jax.tree.map(lambda leaf: leaf[None], start[1:]))
    jaxpr = jax.make_jaxpr(over_seeds(make_step(game)))(starts, {"x": step_batch(game)["x"][None]})
    assert " cond[" in str(jaxpr)


def test_a_batch_that_the_devices_cannot_share_is_refused():
    with pytest.raises(BadInput, match=f"a batch of {BATCH} cannot be split over 3 devices"):
        deal({"x": jnp.zeros((1, BATCH, 1))}, 3)
