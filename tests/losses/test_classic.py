"""The classic losses against values computed by hand, also at scores where exp overflows."""

import jax.numpy as jnp
import numpy as np
import pytest
from by_hand import assert_by_hand

from gan_jax import BadInput, losses

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


def test_score_metrics_equal_hand_computation():
    metrics = losses.score_metrics(jnp.array([1.0, -3.0, 2.0, 4.0]), jnp.array([1.0, -3.0, -2.0, 4.0]))
    assert {name: float(value) for name, value in metrics.items()} == {
        "score_real": 1.0,
        "score_fake": 0.0,
        "accuracy_real": 0.75,
        "accuracy_fake": 0.5,
    }
