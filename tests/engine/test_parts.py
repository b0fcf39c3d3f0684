"""Batches in parts: the step of the whole batch up to rounding, on any number of devices; SGD exposes wrong scales."""

import arena
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from arena import batches, every_game_slow_except, play, started, step_batch
from jax.sharding import NamedSharding, PartitionSpec

from gan_jax import BadInput, Game, Player, State, init, make_step, move, turn
from gan_jax.engine.keys import uniform
from gan_jax.engine.parallel import BATCH_AXIS, deal, make_mesh, over_devices, over_pmap, over_seeds, over_shards


def assert_close(a, b, rtol=1e-4, atol=1e-5):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(np.asarray(x), np.asarray(y), rtol=rtol, atol=atol)


class Mean(nn.Module):
    """A parameter `w`, and the number of calls."""

    @nn.compact
    def __call__(self):
        calls = self.variable("count", "calls", jnp.zeros, (), jnp.int32)
        calls.value += 1
        return self.param("w", nn.initializers.ones, (), jnp.float32)


def squares(nets, batch, keys, step):
    """Has the gradient `2 (w - mean(x u))`, with a number u of each example's key."""
    errors = jnp.square(nets["d"]() - batch["x"] * uniform(keys))
    return jnp.mean(errors), {"u": jnp.mean(uniform(keys)), "examples": jnp.float32(len(keys))}


MEAN = Game({"d": Player(Mean(), optax.sgd(0.5))}, (turn(move("d", squares)),), {}, lambda *_: {"d": ()}, lambda *_: {})
X = jnp.arange(8, dtype=jnp.float32)[None]


def test_gradients_and_metrics_are_means_over_parts_and_stats_pass_through_them():
    state = init(MEAN, jax.random.key(0), {"x": X})
    whole, alone = jax.jit(make_step(MEAN))(state, {"x": X})
    after, metrics = jax.jit(make_step(MEAN._replace(parts=4)))(state, {"x": X})
    assert (float(metrics["d/examples"]), float(alone["d/examples"])) == (2, 8)
    for name in ("d/loss", "d/u", "d/grad_norm"):
        np.testing.assert_allclose(metrics[name], alone[name], rtol=1e-6)
    assert_close(after.players["d"].params, whole.players["d"].params, 1e-6, 0)
    calls = [int(each.players["d"].stats["count"]["calls"]) for each in (state, whole, after)]
    assert calls == [1, 2, 5]


@pytest.mark.parametrize("parts", [3, 16])
def test_parts_of_unequal_size_are_refused(parts):
    game = MEAN._replace(parts=parts)
    with pytest.raises(BadInput, match=rf"^a batch of 8 has no {parts} equal parts: give a multiple of {parts}\b"):
        jax.eval_shape(make_step(game), init(game, jax.random.key(0), {"x": X}), {"x": X})


@pytest.mark.slow
@pytest.mark.parametrize("make_game", [arena.vanilla_dropout, arena.translation])
def test_parts_equal_the_whole_batch(make_game):
    """Without batch norm; with dropout, a moving average, and two steps."""
    game, start = started(make_game)
    data = batches(game, 2)
    whole, apart = (play(jax.jit(make_step(game._replace(parts=n))), start, data) for n in (1, 4))
    assert_close(whole[0].players, apart[0].players)
    assert_close(whole[1], apart[1], 1e-3)


@pytest.mark.slow
@every_game_slow_except()
def test_every_game_plays_in_parts(make_game):
    """Traces the step: that parts are the whole batch is compared above."""
    game, start = started(make_game)
    after, _ = jax.eval_shape(make_step(game._replace(parts=2)), start, step_batch(game))
    assert jax.tree.map(jnp.shape, after) == jax.tree.map(jnp.shape, start)


@pytest.mark.slow
@pytest.mark.parametrize("mode", [over_devices, over_shards, over_pmap])
def test_parts_are_the_same_on_eight_devices(mode):
    """With batch norm, too: a part has the same examples."""
    game, start = started(arena.vanilla_batch_norm)
    game, data = game._replace(parts=2), step_batch(game)
    expected = jax.jit(make_step(game))(start, data)
    start = jax.device_put(start, NamedSharding(make_mesh(), PartitionSpec()))
    if mode is over_pmap:
        found = over_pmap(make_step(game, BATCH_AXIS))(start, deal(data, 8))
    else:
        found = mode(make_step(game, *[BATCH_AXIS][: mode is over_shards]), make_mesh())(start, data)
    assert_close(found[0].players, expected[0].players, 2e-4, 2e-5)
    assert_close(found[1], expected[1], 2e-4, 2e-5)


@pytest.mark.slow
def test_parts_of_many_seeds_are_those_of_one():
    game, _ = started(arena.lazy_r1)
    game, data = game._replace(parts=2), step_batch(game)
    states = [init(game, jax.random.key(seed), data) for seed in (0, 1)]
    keys, players = jax.tree.map(lambda *each: jnp.stack(each), *((each.key, each.players) for each in states))
    both, _ = jax.jit(over_seeds(make_step(game)))(
        State(states[0].step, keys, players), jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), data)
    )
    alone, _ = jax.jit(make_step(game))(states[1], data)
    assert_close(jax.tree.map(lambda leaf: leaf[1], both.players), alone.players, 2e-4, 2e-5)
