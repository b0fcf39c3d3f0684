"""LAPGAN's game: the inputs of every network in training and in sampling, and independent levels."""

from types import SimpleNamespace

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gan_jax import BadInput, init, losses, make_step
from gan_jax.engine.game import images_per_step
from gan_jax.engine.networks import bind
from gan_jax.games import lapgan
from gan_jax.nets.layers import pyramid as layers
from gan_jax.priors import draw

B, SHAPE = 4, (8, 8, 2)
down, up = jax.jit(layers.down), jax.jit(layers.up)
sgd = optax.sgd(0.1)
keys = jax.random.split(jax.random.key(0), B)
step = jnp.zeros((), jnp.int32)


class G(nn.Module):
    shape: tuple[int, ...] = (2, 2, 2)
    width: int = 3

    @nn.compact
    def __call__(self, z, low=None):
        x = z if low is None else jnp.concatenate([z, low.reshape(len(low), -1)], axis=1)
        shape = self.shape if low is None else low.shape[1:]
        return nn.Dense(int(np.prod(shape)))(nn.tanh(nn.Dense(self.width)(x))).reshape(-1, *shape)


class D(nn.Module):
    @nn.compact
    def __call__(self, x, low=None, keys=None):
        low = None if low is None or jnp.issubdtype(low.dtype, jax.dtypes.prng_key) else low
        x = x if low is None else x + low
        return nn.Dense(1)(nn.tanh(nn.Dense(3)(x.reshape(len(x), -1))))[:, 0]


def three_levels(**choices):
    return lapgan.game((G(), G(), G()), (D(), D(), D()), sgd, sgd, shape=SHAPE, z_size=5, **choices)


def pyramid(x):
    """Splits images into the coarsest image and both residuals."""
    middle = down(x)
    coarsest = down(middle)
    return coarsest, middle - up(coarsest), x - up(middle)


def images(n=B, seed=0):
    return jax.random.uniform(jax.random.key(seed), (n, *SHAPE), minval=-1.0)


def recorded(reply):
    """Returns a network that returns `reply(*args)`, and the list of arguments of its calls."""
    calls = []

    def net(*args):
        calls.append(args)
        return reply(*args)

    return net, calls


def loss_of(game, name):
    [move] = [move for turn in game.turns for move in turn.moves if move.who == (name,)]
    return move.loss


def test_every_level_has_two_players_and_all_levels_move_together():
    game = three_levels(ema=0.9)
    assert list(game.players) == ["g0", "g1", "g2", "d0", "d1", "d2"]
    assert [[move.who for move in turn.moves] for turn in game.turns] == [
        [("d0",), ("d1",), ("d2",)],
        [("g0",), ("g1",), ("g2",)],
    ]
    assert [player.ema for player in game.players.values()] == 3 * [0.9] + 3 * [0.0]
    assert images_per_step(game, 16) == 16


@pytest.mark.medium
@pytest.mark.parametrize("level", [1, 2])
def test_finer_levels_compare_residuals_on_the_same_real_low_pass_image(level):
    x = images()
    parts = pyramid(x)
    coarse = parts[0] if level == 1 else up(parts[0]) + parts[1]
    g, g_calls = recorded(lambda z, low: 0.5 * low)
    d, d_calls = recorded(lambda h, low, keys: h.sum((1, 2, 3)) / 10)
    value, report = loss_of(three_levels(), f"d{level}")({f"g{level}": g, f"d{level}": d}, {"x": x}, keys, step)

    [(z, low)] = g_calls
    np.testing.assert_allclose(low, up(coarse), atol=1e-6)
    assert z.shape == (B, 4**level * 4)  # one number per pixel of the plane
    (h, low_real, real_keys), (h_fake, low_fake, fake_keys) = d_calls
    np.testing.assert_allclose(h, parts[level], atol=1e-6)
    np.testing.assert_allclose(h_fake, 0.5 * low, atol=1e-6)
    assert low_real is low and low_fake is low
    assert (jax.random.key_data(real_keys) != jax.random.key_data(fake_keys)).any(axis=1).all()

    s_real, s_fake = (np.asarray(a, np.float64).sum((1, 2, 3)) / 10 for a in (h, h_fake))
    expected = np.mean(np.log1p(np.exp(-s_real)) + np.log1p(np.exp(s_fake)))  # -log D(h) - log(1 - D(G(z, low)))
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    assert set(report) == {"score_real", "score_fake", "accuracy_pairs", "accuracy_real", "accuracy_fake"}
    value, report = loss_of(three_levels(), f"g{level}")({f"g{level}": g, f"d{level}": d}, {"x": x}, keys, step)
    np.testing.assert_allclose(value, np.mean(np.log1p(np.exp(-s_fake))), rtol=1e-5)
    assert report == {}


@pytest.mark.medium
def test_coarsest_level_plays_on_downsampled_images():
    x = images()
    g, g_calls = recorded(lambda z: jnp.ones((B, 2, 2, 2)))
    d, d_calls = recorded(lambda x, keys: x.sum((1, 2, 3)))
    loss_of(three_levels(), "d0")({"g0": g, "d0": d}, {"x": x}, keys, step)
    assert g_calls[0][0].shape == (B, 5)
    np.testing.assert_allclose(d_calls[0][0], pyramid(x)[0], atol=1e-6)
    np.testing.assert_array_equal(d_calls[1][0], np.ones((B, 2, 2, 2)))


def test_loss_is_configurable():
    g, _ = recorded(lambda z: jnp.ones((B, 2, 2, 2)))
    d, _ = recorded(lambda x, keys: x.sum((1, 2, 3)))
    value, _ = loss_of(three_levels(loss=losses.wasserstein), "g0")({"g0": g, "d0": d}, {"x": images()}, keys, step)
    np.testing.assert_allclose(value, -8.0)


def test_sampling_adds_residuals_to_the_coarsest_image():
    """Generators that return the parts of an image reproduce the image."""
    x = images()
    parts = pyramid(x)
    calls = [recorded(lambda *args, part=part: part) for part in parts]
    nets = {f"g{k}": SimpleNamespace(ema=net) for k, (net, _) in enumerate(calls)}
    game = three_levels()
    z = draw(game.prior, keys)["z"]
    np.testing.assert_allclose(game.sample(nets, {"z": z}), x, atol=1e-6)
    [[(z0,)], [(z1, low_1)], [(z2, low_2)]] = [seen for _, seen in calls]
    np.testing.assert_array_equal(jnp.concatenate([z0, z1, z2], axis=1), z)  # each latent value is used by one level
    np.testing.assert_allclose(low_1, up(parts[0]), atol=1e-6)
    np.testing.assert_allclose(low_2, up(up(parts[0]) + parts[1]), atol=1e-6)


def test_samples_are_clipped_to_the_range_of_images():
    replies = (jnp.ones((B, 2, 2, 2)), 5 * jnp.ones((B, 4, 4, 2)), -20 * jnp.ones((B, 8, 8, 2)))
    nets = {f"g{k}": SimpleNamespace(ema=lambda *args, reply=reply: reply) for k, reply in enumerate(replies)}
    game = three_levels()
    np.testing.assert_array_equal(game.sample(nets, draw(game.prior, keys)), -np.ones((B, *SHAPE)))


@pytest.mark.slow
def test_levels_are_trained_independently():
    """Another coarsest generator changes the samples but no finer network."""
    data = {"x": images(seed=1)[None]}
    ends, samples = [], []
    for width in (3, 7):
        game = lapgan.game((G(width=width), G(), G()), (D(), D(), D()), sgd, sgd, shape=SHAPE, z_size=5)
        state, _ = jax.jit(lambda data, game=game: make_step(game)(init(game, jax.random.key(0), data), data))(data)
        ends.append({name: player.params for name, player in state.players.items() if name[1] != "0"})
        sample = jax.jit(lambda players, game=game: game.sample(bind(game, players), draw(game.prior, keys)))
        samples.append(sample(state.players))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), *ends)
    assert samples[0].shape == (B, *SHAPE)
    assert (abs(samples[0] - samples[1]) > 1e-3).mean() > 0.5


def test_single_level_plays_on_whole_images():
    game = lapgan.game((G(SHAPE),), (D(),), sgd, sgd, shape=SHAPE, z_size=5)
    d, calls = recorded(lambda x, keys: x.sum((1, 2, 3)))
    x = images()
    loss_of(game, "d0")({"g0": lambda z: jnp.zeros((B, *SHAPE)), "d0": d}, {"x": x}, keys, step)
    np.testing.assert_array_equal(calls[0][0], x)
    assert draw(game.prior, keys)["z"].shape == (B, 5)


def test_inconsistent_levels_are_refused():
    with pytest.raises(BadInput, match="2 generators cannot play 1 discriminators"):
        lapgan.game((G(), G()), (D(),), sgd, sgd, shape=SHAPE)
    with pytest.raises(BadInput, match="0 generators"):
        lapgan.game((), (), sgd, sgd, shape=SHAPE)
    with pytest.raises(BadInput, match="28x28 cannot be halved 3 times"):
        lapgan.game(4 * (G(),), 4 * (D(),), sgd, sgd, shape=(28, 28, 1))
