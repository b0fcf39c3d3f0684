"""DVD-GAN's game: its losses by hand, labels, ablations, and its hinge loss where a sample convinces."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from gan_jax import init, make_step
from gan_jax.games import dvdgan
from gan_jax.priors import Categorical
from gan_jax.sampling.latents import draw_latents
from gan_jax.sampling.sampler import sampler

B, RATE = 4, 0.1
RANDOM = np.random.RandomState(0)
X = RANDOM.uniform(-1, 1, (B, 3, 2, 2, 1)).astype(np.float32)
Y = np.array([0, 2, 1, 2], np.int32)
BATCH = {"x": jnp.asarray(X)[None], "y": jnp.asarray(Y)[None]}
LEVELS = np.float32([-0.4, 0.1, 0.7])
"""What the generator draws for each class, times its parameter."""


class Constant(nn.Module):
    """Draws clips of one gray, that of the class or the mean of what is given, plus a little of its noise."""

    noise: float = 0.0

    @nn.compact
    def __call__(self, z, y=None, given=None):
        w = self.param("w", lambda key: jnp.float32(0.5))
        level = jnp.asarray(LEVELS)[y] if given is None else given.mean((1, 2, 3, 4))
        return w * jnp.broadcast_to((level + self.noise * z[:, 0]).reshape(-1, 1, 1, 1, 1), (len(z), *X.shape[1:]))


class Brightness(nn.Module):
    """Scores clips by their mean."""

    scale: float

    @nn.compact
    def __call__(self, x, y=None, keys=None):
        return self.scale * self.param("v", lambda key: jnp.float32(1.0)) * x.mean((1, 2, 3, 4))


DS = {"d_s": Brightness(3.0), "d_t": Brightness(-0.5)}


def stepped(ds=DS, batch=BATCH, d_rate=RATE, **choices):
    game = dvdgan.game(
        Constant(), ds, optax.sgd(RATE), optax.sgd(d_rate), z_size=1, **({"classes": 3, "n_critic": 1} | choices)
    )

    @jax.jit
    def play(batch):
        start = init(game, jax.random.key(0), batch)
        return start, *make_step(game)(start, batch)

    return game, *play(batch)


def hinge(v, scale):
    """Computes a discriminator's loss and its slope in `v`."""
    real, fake = scale * X.mean((1, 2, 3, 4)), scale * 0.5 * LEVELS[Y]
    slope = -real * (v * real < 1) + fake * (v * fake > -1)
    return np.mean(np.maximum(0, 1 - v * real) + np.maximum(0, 1 + v * fake)), np.mean(slope)


def test_losses_and_first_updates_are_those_of_the_equation():
    """Every clip is made and judged with its own label; both discriminators move at once, then the generator."""
    _, _, end, metrics = stepped()
    losses, moved = {}, {}
    for name, d in DS.items():
        losses[name], slope = hinge(1.0, d.scale)
        moved[name] = 1 - RATE * slope
        np.testing.assert_allclose(end.players[name].params["v"], moved[name], rtol=1e-5)
    np.testing.assert_allclose(metrics["d/loss"], sum(losses.values()), rtol=1e-5)
    pull = {name: -d.scale * moved[name] * LEVELS[Y].mean() for name, d in DS.items()}  # slopes in w
    for name in DS:
        np.testing.assert_allclose(metrics[f"g/{name}"], 0.5 * pull[name], rtol=1e-5)
    np.testing.assert_allclose(end.players["g"].params["w"], 0.5 - RATE * sum(pull.values()), rtol=1e-5)
    np.testing.assert_allclose(
        metrics["d/score_real"], (metrics["d/score_real_d_s"] + metrics["d/score_real_d_t"]) / 2, rtol=1e-5
    )


def test_generator_has_a_slope_where_its_samples_convince():
    """D(fake) is far above 1; relu(1 - D) would be flat there."""
    _, _, end, metrics = stepped({"d_s": Brightness(200.0)}, {**BATCH, "y": jnp.full((1, B), 2, jnp.int32)}, d_rate=0.0)
    assert metrics["g/d_s"] < -10
    np.testing.assert_allclose(end.players["g"].params["w"], 0.5 + RATE * 200 * LEVELS[2], rtol=1e-5)


@pytest.mark.parametrize("name", DS)
def test_one_discriminator_plays_alone(name):
    game, *_, metrics = stepped({name: DS[name]})
    assert set(game.players) == {"g", name}
    np.testing.assert_allclose(metrics["d/loss"], hinge(1.0, DS[name].scale)[0], rtol=1e-5)
    np.testing.assert_allclose(metrics["g/loss"], metrics[f"g/{name}"])


def test_without_discriminators_the_squared_error_of_predictions_is_minimized():
    batch = {"x": BATCH["x"], "a": BATCH["x"][:, :, :1]}
    game, _, end, metrics = stepped({}, batch, classes=0, conditions=("a",), distance_weight=2.0)
    assert set(game.players) == {"g"} and set(game.prior) == {"z"} and game.conditions == ("a",)
    level = X[:, :1].mean((1, 2, 3, 4)).reshape(-1, 1, 1, 1, 1)
    np.testing.assert_allclose(metrics["g/loss"], 2 * np.mean((X - 0.5 * level) ** 2), rtol=1e-5)
    slope = -4 * np.mean((X - 0.5 * level) * level)
    np.testing.assert_allclose(end.players["g"].params["w"], 0.5 - RATE * slope, rtol=1e-5)


def test_discriminators_have_their_turns():
    game = stepped(n_critic=2, batch=jax.tree.map(lambda leaf: jnp.concatenate([leaf, leaf]), BATCH))[0]
    assert [move.who for turn in game.turns for move in turn.moves] == 2 * [("d_s", "d_t")] + [("g",)]


def test_samples_have_the_labels_and_the_given_frames_of_their_latents():
    sgd = optax.sgd(RATE)
    by_class = dvdgan.game(Constant(), DS, sgd, sgd, z_size=1, classes=3)
    assert by_class.prior["y"] == Categorical(3)
    state, latents = stepped()[1], draw_latents(by_class, jax.random.key(1), 9, {"y": [0, 1, 2]})
    np.testing.assert_allclose(sampler(by_class)(state, latents)[:, 0, 0, 0, 0], 0.5 * np.tile(LEVELS, 3))
    follows = dvdgan.game(Constant(), {}, sgd, sgd, z_size=1, conditions=("a",))
    given = jnp.asarray(X[:, :1])
    latents = draw_latents(follows, jax.random.key(1), B, examples={"a": given})
    np.testing.assert_allclose(sampler(follows)(state, latents)[:, 2, 1, 1, 0], 0.5 * given.mean((1, 2, 3, 4)))
