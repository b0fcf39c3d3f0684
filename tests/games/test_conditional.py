"""The conditional game: one step by hand, equality with the original game, penalties and samples."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gan_jax import BadInput, init, make_step
from gan_jax.config.experiment import Experiment, Phase, RunConfig
from gan_jax.data import from_arrays
from gan_jax.engine.keys import example_keys, normal, split
from gan_jax.games import conditional, vanilla
from gan_jax.nets.layers.dropout import Dropout
from gan_jax.penalties import terms
from gan_jax.priors import Categorical, Uniform
from gan_jax.sampling.latents import cycle_classes, draw_latents
from gan_jax.sampling.sampler import sampler
from gan_jax.training.train import check

B, Z, K, RATE = 6, 3, 4, 0.1
close = partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6)


class Generator(nn.Module):
    dropout: float = 0.0

    @nn.compact
    def __call__(self, z, y, keys=None):
        h = jnp.concatenate([z, jax.nn.one_hot(y, K)], axis=1)
        h = Dropout(self.dropout)(nn.Dense(5)(h), keys)
        return jnp.tanh(nn.Dense(4)(h)).reshape(-1, 2, 2, 1)


class Discriminator(nn.Module):
    """`tanh(x) . w[y]`: the gradient of a score depends on the label."""

    @nn.compact
    def __call__(self, x, y, keys=None):
        w = self.param("w", nn.initializers.normal(1.0), (K, 4))
        return jnp.sum(w[y] * jnp.tanh(x.reshape(-1, 4)), axis=1)


def make(**choices):
    """Makes the game and a batch."""
    g = Generator(0.5) if choices.get("g_dropout") else Generator()
    sgd = optax.sgd(RATE)
    game = conditional.game(g, Discriminator(), sgd, sgd, classes=K, z_size=Z, **choices)
    x = jax.random.normal(jax.random.key(5), (1, B, 2, 2, 1))
    y = jax.random.randint(jax.random.key(6), (1, B), 0, K)
    return game, {"x": x, "y": y}


def step_of(game, batch):
    """Returns the states before and after one step, and the metrics."""

    @jax.jit
    def run(batch):
        start = init(game, jax.random.key(0), batch)
        return start, *make_step(game)(start, batch)

    return run(batch)


def params_of(state):
    return {name: player.params for name, player in state.players.items()}


def by_hand(start, batch, gamma=0.0, dropout=0.0):
    """Computes one step of Algorithm 1 with eq. 2: losses and parameters, with labels in every call."""
    params, losses = params_of(start), {}
    g = lambda p, z, y, keys: Generator(dropout).apply({"params": p}, z, y, keys)  # noqa: E731
    d = lambda p, x, y: Discriminator().apply({"params": p}, x, y)  # noqa: E731
    [x], [y] = batch["x"], batch["y"]
    for turn, mover in enumerate("dg"):
        keys = example_keys(jax.random.fold_in(jax.random.fold_in(start.key, 0), turn), B)
        z = normal(split(keys, 6)[0], Z)

        def value(own, others=params, mover=mover, z=z, keys=keys):
            p = {**others, mover: own}
            s_real, s_fake = d(p["d"], x, y), d(p["d"], g(p["g"], z, y, keys if dropout else None), y)
            if mover == "g":
                return jnp.mean(jax.nn.softplus(-s_fake))
            slopes = jax.vmap(jax.grad(lambda x, y: d(p["d"], x[None], y[None])[0]))(x, y)
            penalty = jnp.mean(jnp.sum(slopes**2, axis=(1, 2, 3))) / 2
            return jnp.mean(jax.nn.softplus(-s_real) + jax.nn.softplus(s_fake)) + gamma * penalty

        losses[mover], slope = jax.value_and_grad(value)(params[mover])
        params = {**params, mover: jax.tree.map(lambda p, s: p - RATE * s, params[mover], slope)}
    return losses, params


CHOICES = {
    "plain": ({}, {}),
    "penalized": ({"penalties": (terms.r1(0.7),)}, {"gamma": 0.7}),
    "generator under dropout": ({"g_dropout": True}, {"dropout": 0.5}),
}


@pytest.mark.medium
@pytest.mark.parametrize("choice", CHOICES)
def test_step_equals_equation_2(choice):
    choices, hand = CHOICES[choice]
    game, batch = make(**choices)
    start, end, metrics = step_of(game, batch)
    losses, params = jax.jit(partial(by_hand, **hand))(start, batch)
    close(metrics["d/loss"], losses["d"])
    close(metrics["g/loss"], losses["g"])
    jax.tree.map(close, params_of(end), params)


@pytest.mark.medium
def test_game_with_a_constant_label_equals_the_original_game():
    """The original game plays networks with the label filled in."""

    class Filled(nn.Module):
        net: nn.Module

        def __call__(self, x, keys=None):
            return self.net(x, jnp.full(x.shape[0], 2))

    game, batch = make()
    batch["y"] = jnp.full_like(batch["y"], 2)
    start, end, metrics = step_of(game, batch)
    sgd = optax.sgd(RATE)
    original = vanilla.game(Filled(Generator()), Filled(Discriminator()), sgd, sgd, z_size=Z)
    filled = {name: p._replace(params={"net": p.params}) for name, p in start.players.items()}
    other, reports = jax.jit(make_step(original))(start._replace(players=filled), {"x": batch["x"]})
    jax.tree.map(close, {name: {"net": p} for name, p in params_of(end).items()}, params_of(other))
    assert metrics.keys() == reports.keys()
    close(metrics["d/loss"], reports["d/loss"])


@pytest.mark.medium
@pytest.mark.parametrize("penalty", [terms.r1, terms.r2, terms.dragan, terms.gradient_penalty])
def test_penalties_use_the_label_of_each_example(penalty):
    """The gradient of a linear critic is the row of the label at any point."""

    class Linear(Discriminator):
        @nn.compact
        def __call__(self, x, y, keys=None):
            w = self.param("w", nn.initializers.normal(1.0), (K, 4))
            return jnp.sum(w[y] * x.reshape(-1, 4), axis=1)

    sgd = optax.sgd(RATE)
    game = conditional.game(Generator(), Linear(), sgd, sgd, classes=K, z_size=Z, penalties=(penalty(1.0),))
    _, batch = make()
    start, _, metrics = step_of(game, batch)
    w = np.asarray(start.players["d"].params["w"])
    norms = np.array([np.sqrt(np.sum(w[y] ** 2)) for y in np.asarray(batch["y"][0])])
    half = penalty in (terms.r1, terms.r2)
    close(metrics["d/penalty"], np.mean(norms**2 / 2 if half else (norms - 1) ** 2), rtol=1e-4)


@pytest.mark.medium
def test_samples_have_the_labels_of_their_latents():
    class Written(nn.Module):
        """Writes its label into the image."""

        @nn.compact
        def __call__(self, z, y):
            scale = self.param("scale", nn.initializers.ones, (1,))
            return jnp.broadcast_to((scale * y.astype(jnp.float32)).reshape(-1, 1, 1, 1) / K, (z.shape[0], 2, 2, 1))

    sgd = optax.sgd(RATE)
    game = conditional.game(Written(), Discriminator(), sgd, sgd, classes=K, z_size=Z)
    assert game.codes == {"y": Categorical(K)}
    state = jax.jit(partial(init, game))(jax.random.key(0), make()[1])
    drawn = draw_latents(game, jax.random.key(1), 200)
    assert drawn["y"].dtype == jnp.int32 and (jnp.bincount(drawn["y"], length=K) > 20).all()
    close(sampler(game)(state, drawn)[:, 0, 0, 0], drawn["y"] / K)
    grid = sampler(game)(state, draw_latents(game, jax.random.key(1), 3 * K, cycle_classes(game)))
    close(grid[:, 1, 1, 0].reshape(3, K), np.tile(np.arange(K) / K, (3, 1)))


@pytest.mark.medium
def test_samples_are_drawn_without_dropout():
    game, batch = make(g_dropout=True)
    state = jax.jit(partial(init, game))(jax.random.key(0), batch)
    drawn = draw_latents(game, jax.random.key(1), 5)
    expected = Generator().apply({"params": state.players["g"].params}, drawn["z"], drawn["y"])
    close(sampler(game)(state, drawn), expected)


@pytest.mark.parametrize(
    "classes, has", [((), "no labels"), (("a", "b"), "2 classes"), (("a", "b", "c", "d", "e"), "5 classes")]
)
def test_data_without_matching_labels_is_refused(classes, has):
    x = np.zeros((8, 2, 2, 1), np.uint8)
    source = from_arrays("drawn", x, np.arange(8) % 2, classes) if classes else from_arrays("drawn", x)
    game, _ = make()
    experiment = Experiment((Phase(game, 8),), RunConfig(images=8, batch_size=8))
    with pytest.raises(BadInput, match=f"drawn has {has}, but this game needs 4: give"):
        check(experiment, source, devices=1)


@pytest.mark.medium
def test_a_condition_of_several_arrays_reaches_both_networks_and_is_drawn_for_samples():
    class Written(nn.Module):
        """Writes the condition into the image, a little darkened by z."""

        @nn.compact
        def __call__(self, z, c):
            scale = self.param("scale", nn.initializers.ones, (1,))
            return (scale * c).reshape(-1, 1, 1, 1) + 0 * z[:, :1].reshape(-1, 1, 1, 1)

    class Compares(nn.Module):
        """Scores how far an image is from the condition."""

        @nn.compact
        def __call__(self, x, c, keys=None):
            return self.param("scale", nn.initializers.ones, ()) * (x.reshape(-1) - c) ** 2

    def condition(arrays):
        return arrays["y"].astype(jnp.float32) + arrays["shift"] / 2

    sgd, prior = optax.sgd(RATE), {"y": Categorical(K), "shift": Uniform(0.0, 1.0)}
    game = conditional.given(vanilla.game(Written(), Compares(), sgd, sgd, z_size=Z), prior, condition)
    y, shift = jnp.array([[0, 1, 2]]), jnp.array([[0.0, 0.5, 1.0]])
    batch = {"x": jnp.zeros((1, 3, 1, 1, 1)), "y": y, "shift": shift}
    start, _, metrics = step_of(game, batch)
    close(metrics["d/score_real"], np.mean(condition({"y": y[0], "shift": shift[0]}) ** 2))
    close(metrics["d/score_fake"], 0)  # fake images have the condition of the batch
    latents = draw_latents(game, jax.random.key(0), 4, {"y": [1, 3], "shift": [0.5]})
    close(sampler(game)(start, latents)[:, 0, 0, 0], [1.25, 3.25, 1.25, 3.25])
