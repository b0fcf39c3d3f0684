"""The classic losses against values computed by hand, also at scores where exp overflows."""

import jax.numpy as jnp
import numpy as np
import pytest
from by_hand import assert_by_hand
from hypothesis import given, settings
from hypothesis import strategies as st

from gan_jax import BadInput, losses
from gan_jax.metrics import ranking_accuracy

LOG2, LOG1E = np.log(2), np.log(1 + np.e)  # softplus(0), softplus(1)

# loss, s_real, s_fake, d, g
TABLE = {
    "minimax": (
        losses.minimax,
        [0.0, 1.0, 1e4, -1e4],
        [0.0, -1.0, -1e4, 1e4],
        [2 * LOG2, 2 * (LOG1E - 1), 0.0, 2e4],
        [-LOG2, -(LOG1E - 1), 0.0, -1e4],
    ),
    "non_saturating": (
        losses.non_saturating,
        [0.0, 1.0, 1e4, -1e4],
        [0.0, -1.0, -1e4, 1e4],
        [2 * LOG2, 2 * (LOG1E - 1), 0.0, 2e4],
        [LOG2, LOG1E, 1e4, 0.0],
    ),
    "label_smoothing": (
        losses.label_smoothing(),
        [0.0, 1.0, 1e4, -1e4],
        [0.0, -1.0, -1e4, 1e4],
        [2 * LOG2, 2 * (LOG1E - 1) + 0.1, 1e3, 1.9e4],
        [LOG2, LOG1E, 1e4, 0.0],
    ),
    "label_smoothing to 3/4": (
        losses.label_smoothing(0.75),
        [1.0, -1.0],
        [0.0, 0.0],
        [LOG1E - 3 / 4 + LOG2, LOG1E - 1 / 4 + LOG2],
        [LOG2, LOG2],
    ),
    "least_squares": (losses.least_squares, [1.0, 0.0, 3.0], [0.0, 1.0, -2.0], [0.0, 1.0, 4.0], [0.5, 0.0, 4.5]),
    "lsgan": (losses.lsgan(-1.0, 1.0, 0.0), [1.0, 0.0, 3.0], [-1.0, 1.0, -2.0], [0.0, 2.5, 2.5], [0.5, 0.5, 2.0]),
    "hinge": (
        losses.hinge,
        [2.0, 0.5, -1e4],
        [-2.0, 0.0, 1e4],
        [0.0, 1.5, 2e4 + 2],
        [2.0, 0.0, -1e4],
    ),
    "wasserstein": (losses.wasserstein, [2.0, -1e4], [-1.0, 1e4], [-3.0, 2e4], [1.0, -1e4]),
}


@pytest.mark.parametrize(("loss", "s_real", "s_fake", "d", "g"), TABLE.values(), ids=TABLE.keys())
def test_losses_equal_hand_computation(loss, s_real, s_fake, d, g):
    assert_by_hand(loss, (s_real, s_fake), d, g)


def test_label_smoothing_is_minimal_at_the_logit_of_the_target():
    s = jnp.linspace(-4.0, 4.0, 801)
    d = losses.label_smoothing(0.75).d(s, jnp.zeros(801))
    np.testing.assert_allclose(s[jnp.argmin(d)], np.log(0.75 / 0.25), atol=0.01)


def test_label_smoothing_to_1_is_the_plain_loss():
    s_real, s_fake = jnp.array([0.3, -2.0]), jnp.array([1.0, 0.5])
    for ours, plain in zip(losses.label_smoothing(1.0)[:2], losses.non_saturating[:2], strict=True):
        np.testing.assert_array_equal(ours(s_real, s_fake), plain(s_real, s_fake))


@pytest.mark.parametrize("target", [0.0, -0.5, 1.5])
def test_smoothing_targets_outside_0_to_1_are_refused(target):
    with pytest.raises(BadInput, match=rf"label_smoothing\(target={target}\): it must be above 0 and at most 1"):
        losses.label_smoothing(target)


@pytest.mark.parametrize(("undecided", "accuracies"), [(0.0, (0.75, 0.5)), (1.5, (0.5, 0.75)), (None, ())])
def test_score_metrics_equal_hand_computation(undecided, accuracies):
    s_real, s_fake = jnp.array([1.0, -3.0, 2.0, 4.0]), jnp.array([1.0, -2.0, -3.0, 4.0])
    metrics = losses.score_metrics(s_real, s_fake, undecided)
    expected = {"score_real": 1.0, "score_fake": 0.0, "accuracy_pairs": (0.5 + 0 + 1 + 0.5) / 4}
    expected |= dict(zip(("accuracy_real", "accuracy_fake"), accuracies, strict=False))
    assert {name: float(value) for name, value in metrics.items()} == expected


SCORES = st.lists(st.tuples(st.integers(-6, 6), st.integers(-6, 6)), min_size=8, max_size=8)
INCREASING = {
    "identity": lambda s: s,
    "shift": lambda s: s + 7,
    "scale": lambda s: 3 * s,
    "exp": jnp.exp,
    "cube": lambda s: s**3 - 2,
}


@settings(max_examples=30)
@given(SCORES)
def test_share_of_pairs_is_unchanged_by_increasing_maps_of_the_scores(pairs):
    s = jnp.asarray(pairs, jnp.float32).T
    shares = {name: float(losses.score_metrics(*mapped(s))["accuracy_pairs"]) for name, mapped in INCREASING.items()}
    assert shares == dict.fromkeys(INCREASING, np.mean([(real > fake) + 0.5 * (real == fake) for real, fake in pairs]))


def test_share_of_pairs_estimates_the_area_under_the_roc_curve():
    s_real, s_fake = np.random.default_rng(0).normal([[1], [0]], size=(2, 20_000)).astype(np.float32)
    share = losses.score_metrics(jnp.asarray(s_real), jnp.asarray(s_fake))["accuracy_pairs"]
    assert share == pytest.approx(ranking_accuracy(s_real, s_fake), abs=0.01)
