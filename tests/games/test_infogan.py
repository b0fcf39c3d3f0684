"""InfoGAN's bound against hand computation and scipy, at its extremes, its gradients, and learned codes."""

import math

import arena
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from arena import sgd
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from gan_jax import init, make_step
from gan_jax.engine.networks import bind
from gan_jax.games import infogan
from gan_jax.priors import Categorical, Uniform
from gan_jax.training.chunk import mean, over_steps

N = 6
CODES = {"kind": Categorical(4), "tint": Uniform(-2.0, 3.0)}
RANDOM = np.random.RandomState(0)
S_REAL, S_FAKE = RANDOM.normal(size=(2, N)).astype(np.float32)
GUESSES = {"kind": RANDOM.normal(size=(N, 4)).astype(np.float32), "tint": RANDOM.normal(size=(N, 2)).astype(np.float32)}
KEYS = jax.random.split(jax.random.key(0), N)


class Scripted:
    """Players with known outputs; `requested` holds the codes given to the generator."""

    requested: dict

    def __getitem__(self, name):
        return {"g": self.g, "d": self.d}[name]

    def g(self, z, c):
        assert z.shape == (N, 5)
        self.requested = {name: np.asarray(value) for name, value in c.items()}
        return jnp.zeros((N, 1))

    def d(self, x, keys):
        s = S_REAL if x[0, 0] else S_FAKE
        return jnp.asarray(s), {name: jnp.asarray(guess) for name, guess in GUESSES.items()}


def information(requested):
    """Computes the mean of log Q(c | x), plus H(c), in plain loops."""
    kind = tint = 0.0
    for i in range(N):
        logits = [float(v) for v in GUESSES["kind"][i]]
        kind += logits[requested["kind"][i]] - math.log(sum(math.exp(v) for v in logits))
        mean, std = float(GUESSES["tint"][i][0]), math.exp(float(GUESSES["tint"][i][1]))
        tint += math.log(math.exp(-(((requested["tint"][i] - mean) / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi)))
    return {"kind": kind / N + math.log(4), "tint": tint / N + math.log(5)}


def game(codes, **choices):
    """Makes InfoGAN on tiny networks."""
    sizes = {name: len(guess[0]) for name, guess in GUESSES.items()}
    return infogan.game(arena.CodedGenerator(codes), arena.Recognizer(sizes), sgd, sgd, codes=codes, **choices)


@pytest.mark.medium
def test_losses_equal_equation_6():
    nets, values = Scripted(), {}
    for turn in game(CODES, z_size=5, lambda_categorical=0.7, lambda_continuous=0.2).turns:
        [move] = turn.moves
        value, metrics = move.loss(nets, {"x": jnp.ones((N, 1))}, KEYS, jnp.int32(0))
        bound = information(nets.requested)
        assert {name: float(metrics[f"info_{name}"]) for name in CODES} == pytest.approx(bound, rel=1e-5)
        values[move.label] = float(value) + 0.7 * bound["kind"] + 0.2 * bound["tint"]
    softplus = lambda s: np.log1p(np.exp(s.astype(np.float64)))  # noqa: E731
    assert values["d"] == pytest.approx(np.mean(softplus(-S_REAL) + softplus(S_FAKE)), rel=1e-5)
    assert values["g"] == pytest.approx(np.mean(softplus(-S_FAKE)), rel=1e-5)


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(-3, 3))
def test_continuous_posterior_equals_scipy_normal(c, mean, log_std):
    got = infogan.log_posterior(Uniform(), jnp.full(1, c, jnp.float32), jnp.array([[mean, log_std]], jnp.float32))
    assert float(got[0]) == pytest.approx(stats.norm.logpdf(c, mean, math.exp(log_std)), rel=1e-3, abs=1e-4)


def test_posteriors_are_normalized():
    logits = jnp.asarray(GUESSES["kind"])
    total = sum(jnp.exp(infogan.log_posterior(Categorical(4), jnp.full(N, y), logits)) for y in range(4))
    np.testing.assert_allclose(total, np.ones(N), rtol=1e-6)
    c = np.linspace(-30, 30, 20_001, dtype=np.float32)
    density = jnp.exp(infogan.log_posterior(Uniform(), jnp.asarray(c), jnp.tile(jnp.array([[0.3, 0.4]]), (len(c), 1))))
    assert integrate.trapezoid(np.asarray(density), c) == pytest.approx(1, rel=1e-3)


@pytest.mark.medium
def test_bound_is_the_entropy_for_certain_and_0_for_uniform_guesses():
    y = jnp.array([0, 3, 2])
    code = Categorical(4)
    sure = infogan.log_posterior(code, y, 100 * jax.nn.one_hot(y, 4)) + infogan.entropy(code)
    ignorant = infogan.log_posterior(code, y, jnp.zeros((3, 4))) + infogan.entropy(code)
    np.testing.assert_allclose(sure, math.log(4), rtol=1e-6)
    np.testing.assert_allclose(ignorant, 0, atol=1e-6)


def test_best_constant_posterior_of_a_continuous_code_has_negative_information():
    """With the prior's mean and standard deviation the bound is -KL(uniform || Gaussian)."""
    code = Uniform(-2.0, 4.0)
    c = code.draw(jax.random.split(jax.random.key(0), 20_000))
    std = 6 / math.sqrt(12)
    guess = jnp.tile(jnp.array([[1.0, math.log(std)]]), (len(c), 1))
    short = math.log(std * math.sqrt(2 * math.pi * math.e)) - math.log(6)
    assert short > 0
    assert float(jnp.mean(infogan.log_posterior(code, c, guess))) + infogan.entropy(code) == pytest.approx(
        -short, abs=0.02
    )


@pytest.mark.slow
def test_information_has_gradients_in_the_generator_and_shared_layers():
    weighted = {
        weight: game(CODES, z_size=arena.Z, lambda_categorical=weight, lambda_continuous=weight)
        for weight in (0.0, 1.0)
    }
    batch, keys = arena.step_batch(weighted[0.0]), jax.random.split(jax.random.key(1), arena.BATCH)

    @jax.jit
    def gradients(batch):
        state = init(weighted[0.0], jax.random.key(0), batch)

        def gradient(who, played):
            [move] = next(turn.moves for turn in played.turns if turn.moves[0].who == (who,))

            def loss(params):
                nets = bind(played, state.players, {who: params})
                return move.loss(nets, {"x": batch["x"][0]}, keys, state.step)[0]

            return jax.grad(loss)(state.players[who].params)

        return {who: [gradient(who, played) for played in weighted.values()] for who in ("d", "g")}

    found = gradients(batch)
    for who, layer in (("d", "Dense_0"), ("g", "Generator_0")):
        pairs = zip(*(jax.tree.leaves(gradient[layer]) for gradient in found[who]), strict=True)
        assert any(abs(a - b).max() > 1e-4 for a, b in pairs), who


@pytest.mark.slow
def test_codes_are_recovered_from_images_after_training():
    """A few hundred steps on noise: the class is recovered from nearly all images, the number partly."""
    adam = optax.adam(1e-2, b1=0.5)
    game = arena.recognized_codes(adam)
    state = init(game, jax.random.key(0), arena.step_batch(game))
    chunk = jax.jit(over_steps(make_step(game), load=lambda arrays, batch: batch))
    metrics = []
    for i in range(2):
        state, sums = chunk(state, (), arena.batches(game, 300, key=i), jnp.int32(300))
        metrics.append({name: float(value) for name, value in mean(sums).items()})
    assert metrics[0]["g/info_c1"] < metrics[1]["g/info_c1"] <= math.log(3)
    assert metrics[1]["g/info_c1"] > 0.7 * math.log(3)
    assert metrics[1]["g/info_c2"] > metrics[0]["g/info_c2"]
