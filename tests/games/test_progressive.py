"""Progressive growing of a game: what losses, penalties and samples see while the networks fade, by hand."""

import arena
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from gan_jax import BadInput, init, losses, make_step
from gan_jax.engine.networks import bind
from gan_jax.engine.parallel import BATCH_AXIS, make_mesh, over_shards
from gan_jax.games import progressive, vanilla
from gan_jax.games.progressive import grow, linear_fade
from gan_jax.penalties import terms

W, V = 0.4, 0.3
X = np.random.RandomState(0).uniform(-1, 1, (3, 4, 4, 1)).astype(np.float32)


class Painter(nn.Module):
    """Paints 2 x 2 pixels of one value, whatever the latent."""

    @nn.compact
    def __call__(self, z, alpha):
        w = self.param("w", lambda key: jnp.float32(W))
        return jnp.broadcast_to(w * (1 + alpha), (z.shape[0], 2, 2, 1))


class Energy(nn.Module):
    """Scores the squares and the sum of pixels."""

    @nn.compact
    def __call__(self, x, alpha, keys=None):
        v = self.param("v", lambda key: jnp.float32(V))
        return jnp.sum(v * alpha * x**2 + x, axis=(1, 2, 3))


def energy(x, alpha):
    return np.sum(V * alpha * x**2 + x, axis=(1, 2, 3))


def blocks(x):
    """Averages blocks of 2 x 2 pixels by loops."""
    b, h, w, c = x.shape
    out = np.empty((b, h // 2, w // 2, c))
    for i, j in np.ndindex(h // 2, w // 2):
        out[:, i, j] = x[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean((1, 2))
    return out


def grown(fade):
    """Makes the game of 2 x 2 pixels on images of 4 x 4, with R1 and drift; nothing is learned."""
    tx = optax.sgd(0.0)
    options = {"z_size": 3, "loss": losses.wasserstein, "penalties": (terms.r1(1.0), terms.drift(0.5)), "ema": 0.9}
    return grow(vanilla.game(Painter(), Energy(), tx, tx, **options), (4, 4, 1), 2, fade)


def stepped(game, step):
    """Plays one step, the `step`-th of a run; returns the state and the metrics."""
    batch = {"x": jnp.asarray(X)[None]}
    state = init(game, jax.random.key(0), batch)._replace(step=jnp.int32(step))
    return jax.jit(make_step(game))(state, batch)


@pytest.mark.parametrize(("fade", "alpha"), [(None, 1.0), (linear_fade(4, 8), 0.25)])
def test_losses_and_penalties_see_faded_images_and_networks(fade, alpha):
    """In step 6 of a fade from step 4 to 12; without a fade the real images are as they are."""
    _, metrics = stepped(grown(fade), 6)
    small = blocks(X)
    real = alpha * small + (1 - alpha) * blocks(small).repeat(2, axis=1).repeat(2, axis=2)
    fake = np.full((1, 2, 2, 1), W * (1 + alpha))
    s_real, s_fake = energy(real, alpha), energy(fake, alpha)
    r1 = np.mean(np.sum((2 * V * alpha * real + 1) ** 2, axis=(1, 2, 3))) / 2
    penalty = r1 + 0.5 * np.mean(s_real**2)
    expected = {
        "d/score_real": s_real.mean(),
        "d/score_fake": s_fake.mean(),
        "d/penalty": penalty,
        "d/loss": s_fake.mean() - s_real.mean() + penalty,
        "g/loss": -s_fake.mean(),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(metrics[name], value, rtol=1e-5, err_msg=name)


def test_samples_have_the_alpha_of_their_step_and_the_size_of_the_data():
    game = grown(linear_fade(4, 8))
    state, _ = stepped(game, 0)
    nets, latents = bind(game, state.players), {"z": jnp.zeros((5, 3))}
    for step, value in ((0, W), (4, W), (6, 1.25 * W), (12, 2 * W), (100, 2 * W)):
        expected = np.full((5, 4, 4, 1), value)
        np.testing.assert_allclose(game.sample(nets, latents, jnp.int32(step)), expected, rtol=1e-6)


def test_samples_repeat_pixels_and_are_clipped():
    class Gradient(nn.Module):
        @nn.compact
        def __call__(self, z, alpha):
            return jnp.broadcast_to(jnp.array([[-2.0, -0.5], [0.5, 2.0]])[None, :, :, None], (z.shape[0], 2, 2, 1))

    plain = vanilla.game(Gradient(), Energy(), optax.sgd(0.0), optax.sgd(0.0), z_size=3)
    game = grow(plain, (8, 8, 1), 2)
    state = init(game, jax.random.key(0), {"x": jnp.zeros((1, 3, 8, 8, 1))})
    made = game.sample(bind(game, state.players), {"z": jnp.zeros((1, 3))}, jnp.int32(0))
    rows = np.array([[-1.0, -0.5], [0.5, 1.0]]).repeat(4, axis=0).repeat(4, axis=1)
    np.testing.assert_array_equal(made[0, :, :, 0], rows)


def test_linear_fade_begins_and_ends_in_its_steps():
    fade = linear_fade(10, 4)
    assert [float(fade(jnp.int32(step))) for step in (0, 10, 11, 13, 14, 15)] == [0, 0, 0.25, 0.75, 1, 1]


@pytest.mark.parametrize(("shape", "size"), [((12, 12, 1), 5), ((4, 4, 1), 8), ((8, 4, 1), 4), ((24, 24, 1), 8)])
def test_size_that_the_data_cannot_be_halved_to_is_refused(shape, size):
    plain = vanilla.game(Painter(), Energy(), optax.sgd(0.0), optax.sgd(0.0))
    height, width = shape[:2]
    with pytest.raises(BadInput, match=f"images of {height}x{width} cannot be halved to {size}x{size}"):
        grow(plain, shape, size)


def test_reduced_images_are_means_of_blocks_and_enlarged_ones_are_repeated():
    np.testing.assert_allclose(progressive.reduced(jnp.asarray(X), 2)[:, 0, 0], X.mean((1, 2)), rtol=1e-5)
    np.testing.assert_array_equal(progressive.enlarged(jnp.asarray(X), 1), X.repeat(2, axis=1).repeat(2, axis=2))
    np.testing.assert_array_equal(progressive.reduced(jnp.asarray(X), 0), X)


@pytest.mark.slow
def test_eight_devices_equal_one():
    """While alpha moves; the groups of the discriminator are the shares of the devices."""
    game, start, data, end, *_ = arena.reference(arena.growing)
    split = over_shards(make_step(game, BATCH_AXIS), make_mesh())
    state, _ = arena.play(split, start, data)
    for ours, theirs in zip(jax.tree.leaves(state.players), jax.tree.leaves(end.players), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-5)
