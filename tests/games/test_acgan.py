"""ACGAN's losses against hand computation, the labels of fakes, and the class weight."""

from math import exp, log

import arena
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import losses
from gan_jax.games import acgan
from gan_jax.priors import draw

N, K = 8, 3
RANDOM = np.random.RandomState(0)
S_REAL, S_FAKE = RANDOM.normal(size=(2, N)).astype(np.float32)
LOGITS_REAL, LOGITS_FAKE = RANDOM.normal(size=(2, N, K)).astype(np.float32)
Y_REAL = np.array([0, 1, 2, 2, 1, 0, 0, 2], np.int32)
BATCH = {"x": jnp.ones((N, 1)), "y": jnp.asarray(Y_REAL)}
KEYS = jax.random.split(jax.random.key(0), N)


def game(**choices):
    """Makes ACGAN on tiny networks."""
    nets = arena.LabeledGenerator(), arena.Recognizer(K)
    return acgan.game(*nets, arena.sgd, arena.sgd, classes=K, z_size=5, **choices)


class Scripted:
    """Players with known outputs; `y_fake` holds the labels given to the generator."""

    def __init__(self, logits_real=LOGITS_REAL):
        self.real = jnp.asarray(S_REAL), jnp.asarray(logits_real)
        self.fake = jnp.asarray(S_FAKE), jnp.asarray(LOGITS_FAKE)
        self.y_fake = None

    def __getitem__(self, name):
        return {"g": self.g, "d": self.d}[name]

    def g(self, z, y):
        assert z.shape == (N, 5)
        self.y_fake = np.asarray(y)
        return jnp.zeros((N, 1))

    def d(self, x, keys):
        return self.real if x[0, 0] else self.fake


def play(loss=losses.non_saturating, weight=1.0, nets=None):
    """Returns both losses, the discriminator's metrics, and the labels of the fakes."""
    nets, turns = nets or Scripted(), game(weight=weight, loss=loss).turns
    (d, metrics), (g, none) = (turn.moves[0].loss(nets, BATCH, KEYS, jnp.int32(0)) for turn in turns)
    assert none == {}
    return float(d), float(g), metrics, nets.y_fake


def log_likelihood(logits, labels):
    """Computes the mean of log softmax at the label, in plain loops."""
    return sum(float(row[y]) - log(sum(exp(v) for v in row)) for row, y in zip(logits, labels, strict=True)) / N


def sigmoid(s):
    return 1 / (1 + exp(-s))


@pytest.mark.medium
@pytest.mark.parametrize("weight", [1.0, 0.3])
def test_losses_equal_equations_2_and_3(weight):
    """With the minimax loss: -(L_S + L_C) for the discriminator, -(L_C - L_S) for the generator."""
    d, g, _, y_fake = play(losses.minimax, weight)
    l_s_real = sum(log(sigmoid(s)) for s in S_REAL) / N
    l_s_fake = sum(log(1 - sigmoid(s)) for s in S_FAKE) / N
    l_c_real, l_c_fake = log_likelihood(LOGITS_REAL, Y_REAL), log_likelihood(LOGITS_FAKE, y_fake)
    assert d == pytest.approx(-(l_s_real + l_s_fake) - weight * (l_c_real + l_c_fake), rel=1e-5)
    assert g == pytest.approx(l_s_fake - weight * l_c_fake, rel=1e-5)


def test_default_generator_loss_is_non_saturating():
    _, g, _, y_fake = play()
    assert g == pytest.approx(-sum(log(sigmoid(s)) for s in S_FAKE) / N - log_likelihood(LOGITS_FAKE, y_fake), rel=1e-5)


def test_generator_loss_does_not_depend_on_real_classification():
    other = play(nets=Scripted(logits_real=LOGITS_REAL[::-1]))
    assert other[1] == play()[1] and other[0] != play()[0]


def test_class_accuracies_use_real_labels_and_labels_of_fakes():
    _, _, metrics, y_fake = play()
    assert float(metrics["class_accuracy_real"]) == pytest.approx(np.mean(LOGITS_REAL.argmax(1) == Y_REAL))
    assert float(metrics["class_accuracy_fake"]) == pytest.approx(np.mean(LOGITS_FAKE.argmax(1) == y_fake))
    assert {"score_real", "accuracy_fake"} <= metrics.keys()


def test_labels_of_fakes_are_uniform_and_independent_of_the_batch():
    prior = game().prior
    drawn = np.concatenate([np.asarray(draw(prior, jax.random.split(jax.random.key(i), 1000))["y"]) for i in range(3)])
    np.testing.assert_allclose(np.bincount(drawn, minlength=K) / len(drawn), 1 / K, atol=0.03)
    nets = Scripted()
    play(nets=nets)
    assert (nets.y_fake != Y_REAL).any()
