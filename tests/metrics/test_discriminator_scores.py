import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unchecked import unchecked

from gan_jax.errors import BadInput
from gan_jax.metrics.discriminator import adversarial_accuracy, ranking_accuracy

scores = st.lists(st.integers(-4, 4), min_size=1, max_size=30).map(lambda values: np.array(values, np.float32))
BOTH = pytest.mark.parametrize("accuracy", [adversarial_accuracy, ranking_accuracy])


@BOTH
def test_accuracies_are_1_for_separated_0_for_swapped_half_for_equal_scores(accuracy):
    high, low, none = np.full(5, 2.0), np.full(3, -1.0), np.zeros(4)
    assert accuracy(high, low) == 1
    assert accuracy(low, high) == 0
    assert accuracy(high, high) == accuracy(none, none) == 0.5


def test_accuracies_equal_hand_computation():
    s_real, s_fake = np.array([3.0, 1.0, -1.0, 0.0]), np.array([2.0, -2.0])
    assert adversarial_accuracy(s_real, s_fake) == ((1 + 1 + 0 + 0.5) / 4 + (0 + 1) / 2) / 2
    assert ranking_accuracy(s_real, s_fake) == (2 + 1 + 1 + 1) / 8


@given(scores, scores)
def test_ranking_accuracy_is_the_share_of_ordered_pairs(s_real, s_fake):
    pairs = [(r > f) + (r == f) / 2 for r in s_real for f in s_fake]
    assert ranking_accuracy(s_real, s_fake) == pytest.approx(np.mean(pairs))
    assert adversarial_accuracy(s_real, s_fake) == pytest.approx(
        np.mean([np.mean((s_real > 0) + (s_real == 0) / 2), np.mean((s_fake < 0) + (s_fake == 0) / 2)])
    )


@given(scores, scores)
def test_ranking_accuracy_equals_scikit_learn_auc(s_real, s_fake):
    metrics = pytest.importorskip("sklearn.metrics")
    real = np.repeat([1, 0], [len(s_real), len(s_fake)])
    expected = metrics.roc_auc_score(real, np.concatenate([s_real, s_fake]))
    assert ranking_accuracy(s_real, s_fake) == pytest.approx(expected)


@given(scores, scores, st.integers(-9, 9))
def test_ranking_accuracy_is_invariant_to_shift_and_scale(s_real, s_fake, shift):
    moved = ranking_accuracy(7 * s_real + shift, 7 * s_fake + shift)
    assert moved == ranking_accuracy(s_real, s_fake)


@BOTH
@given(s_real=scores, s_fake=scores)
def test_swapping_real_and_fake_gives_the_complement(accuracy, s_real, s_fake):
    assert accuracy(s_real, s_fake) + accuracy(s_fake, s_real) == pytest.approx(1)


def test_accuracies_of_gaussians_two_standard_deviations_apart():
    """Phi(1) with the threshold in the middle, Phi(2 / sqrt(2)) for pairs."""
    rng = np.random.default_rng(0)
    s_real, s_fake = rng.normal(1, 1, 200_000), rng.normal(-1, 1, 100_000)
    assert adversarial_accuracy(s_real, s_fake) == pytest.approx(0.8413, abs=0.005)
    assert ranking_accuracy(s_real, s_fake) == pytest.approx(0.9214, abs=0.005)


@BOTH
def test_scores_may_be_jax_arrays_and_invalid_ones_are_refused(accuracy):
    assert accuracy(jnp.array([1.0]), jnp.array([-1.0])) == 1
    with pytest.raises(BadInput, match=r"s_fake: .* not finite, first \[1\]"):
        accuracy(np.zeros(2), np.array([0.0, np.nan]))
    with pytest.raises(BadInput, match=r"s_real: scores must be \[N\], not \[2, 1\]"):
        getattr(unchecked("metrics.discriminator"), accuracy.__name__)(np.zeros((2, 1)), np.zeros(2))
    with pytest.raises(BadInput, match="s_real: 0 samples"):
        accuracy(np.zeros(0), np.zeros(2))
