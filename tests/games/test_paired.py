"""Translation of pairs: its losses by hand, its regression, and what discriminator and sampler see."""

import arena
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from gan_jax import init, losses, make_step
from gan_jax.engine.game import Frozen
from gan_jax.engine.networks import bind
from gan_jax.games import paired
from gan_jax.losses.reconstruction import l1
from gan_jax.nets.unet import Generator
from gan_jax.sampling.latents import draw_latents
from gan_jax.sampling.sampler import sampler

SGD = optax.sgd(0.1)
RNG = np.random.RandomState(0)
A, X = (RNG.uniform(-1, 1, (4, 2, 2, 1)).astype(np.float32) for _ in "ax")
BATCH = {"a": jnp.asarray(A)[None], "x": jnp.asarray(X)[None]}


class Times(nn.Module):
    """Multiplies by a number."""

    @nn.compact
    def __call__(self, a, keys=None):
        return self.param("w", lambda key: jnp.float32(0.5)) * a


class PerPixel(nn.Module):
    """Scores every pixel: the sum of its channels times a number."""

    @nn.compact
    def __call__(self, images, keys=None):
        return self.param("v", lambda key: jnp.float32(0.3)) * images.sum(axis=-1)


def stepped(game, steps=1):
    state, step = init(game, jax.random.key(0), BATCH), jax.jit(make_step(game))
    for _ in range(steps):
        state, metrics = step(state, BATCH)
    return state, metrics


@pytest.mark.parametrize("conditional", [True, False])
def test_losses_and_first_updates_are_those_of_the_equation(conditional):
    weights = {"distance_weight": 3.0, "adversarial_weight": 0.5, "conditional": conditional}
    game = paired.game(Times(), PerPixel(), SGD, SGD, distance=l1, loss=losses.least_squares, **weights)
    state, metrics = stepped(game)
    seen = A if conditional else 0.0

    def d_loss(v):
        return np.mean(0.5 * (v * (seen + X)[..., 0] - 1) ** 2 + 0.5 * (v * (seen + 0.5 * A)[..., 0]) ** 2)

    slope = (d_loss(0.3 + 1e-4) - d_loss(0.3 - 1e-4)) / 2e-4
    v = 0.3 - 0.1 * slope
    np.testing.assert_allclose(metrics["d/loss"], d_loss(0.3), rtol=1e-5)
    np.testing.assert_allclose(state.players["d"].params["v"], v, rtol=1e-5)

    def g_loss(w):
        return 0.5 * np.mean(0.5 * (v * (seen + w * A) - 1) ** 2) + 3 * np.mean(np.abs(X - w * A))

    np.testing.assert_allclose(metrics["g/loss"], g_loss(0.5), rtol=1e-5)
    np.testing.assert_allclose(metrics["g/distance"], np.mean(np.abs(X - 0.5 * A)), rtol=1e-5)
    w = 0.5 - 0.1 * (g_loss(0.5 + 1e-4) - g_loss(0.5 - 1e-4)) / 2e-4
    np.testing.assert_allclose(state.players["g"].params["w"], w, rtol=1e-3)


def test_perceptual_loss_is_the_squared_distance_of_feature_maps():
    features = Frozen(lambda w, x: w * x**2, lambda: np.float32(3))
    options = {"distance": l1, "adversarial_weight": 0.5, "loss": losses.least_squares}
    _, without = stepped(paired.game(Times(), PerPixel(), SGD, SGD, **options))
    state, metrics = stepped(
        paired.game(Times(), PerPixel(), SGD, SGD, **options, features=features, perceptual_weight=2.0)
    )
    apart = np.mean((3 * X**2 - 3 * (0.5 * A) ** 2) ** 2)
    np.testing.assert_allclose(metrics["g/perceptual"], apart, rtol=1e-5)
    np.testing.assert_allclose(metrics["g/loss"], without["g/loss"] + 2 * apart, rtol=1e-5)
    assert "g/perceptual" not in without and state.players.keys() == {"g", "d"}


def test_without_the_adversarial_term_the_translator_learns_as_in_regression():
    with_d = paired.game(Times(), PerPixel(), SGD, SGD, distance=l1, distance_weight=1.0, adversarial_weight=0.0)
    alone = paired.regression(Times(), SGD, distance=l1)
    (a, _), (b, _) = stepped(with_d, 3), stepped(alone, 3)
    assert a.players["g"].params["w"] == b.players["g"].params["w"] != 0.5


def test_samples_have_dropout_from_their_key():
    """The paper's only noise: equal keys give equal samples of an input, other keys other ones."""
    net = Generator(channels=1, levels=2, width=2)
    game = paired.regression(net, SGD, distance=l1, ema=0.5)
    images = {name: jnp.ones((1, 6, 8, 8, 1)) for name in "ax"}
    state, draw = init(game, jax.random.key(0), images), sampler(game)
    examples = {name: leaf[0] for name, leaf in images.items()}
    a, again, b = (draw(state, draw_latents(game, jax.random.key(seed), 6, examples=examples)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, again)
    assert np.abs(a - b).max() > 1e-4 and np.abs(a[0] - a[1]).max() > 1e-4


def test_the_generator_of_a_regression_continues_in_the_game():
    """Their states have one structure but for the discriminator: phases carry the generator over."""
    alone, with_d = (arena.started(make)[1] for make in (lambda tx: _regression(tx), arena.translation))
    assert jax.tree.structure(alone.players["g"]) == jax.tree.structure(with_d.players["g"])


def _regression(tx):
    return paired.regression(arena.Noisy(), tx, distance=l1, ema=0.9)


def test_the_sample_of_a_bound_game_is_the_translator_at_its_average():
    game, state = arena.started(arena.translation)
    latents = {"a": jnp.ones((2, *arena.SHAPE)), "keys": jax.random.split(jax.random.key(3), 2)}
    nets = bind(game, state.players)
    np.testing.assert_array_equal(game.sample(nets, latents), nets["g"].ema(latents["a"], latents["keys"]))
