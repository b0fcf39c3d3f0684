"""Scores of predicted frames: by hand, step by step, and what blur and a copied frame get."""

import numpy as np
import pytest

from gan_jax import BadInput
from gan_jax.metrics.prediction import gradient_energy, prediction_scores
from gan_jax.metrics.ssim import ssim

RANDOM = np.random.default_rng(0)
VIDEOS = RANDOM.integers(0, 256, (3, 4, 12, 12, 1), np.uint8)


def test_scores_are_those_of_every_step_by_itself():
    predicted = RANDOM.integers(0, 256, VIDEOS.shape, np.uint8)
    scores = prediction_scores(predicted, VIDEOS, given=2)
    assert all(values.shape == (2,) for values in scores.values())
    for i, t in enumerate((2, 3)):
        for name, made in (("", predicted[:, t]), ("_copy", VIDEOS[:, 1])):
            errors = [np.sum((a / 255 - b / 255) ** 2) for a, b in zip(made, VIDEOS[:, t], strict=True)]
            np.testing.assert_allclose(scores[f"squared_error{name}"][i], np.mean(errors))
            similar = ssim(made, VIDEOS[:, t], luminance=False, border=0).mean()
            np.testing.assert_allclose(scores[f"ssim{name}"][i], similar)


def test_perfect_predictions_have_perfect_scores_and_given_frames_do_not_count():
    predicted = VIDEOS.copy()
    predicted[:, :2] = 0
    scores = prediction_scores(predicted, VIDEOS, given=2)
    assert (scores["squared_error"] == 0).all()
    np.testing.assert_allclose([scores["ssim"], scores["sharpness"]], 1)


def test_gradient_energy_is_the_mean_square_of_steps():
    frame = np.zeros((1, 1, 3, 4, 1), np.uint8)
    frame[..., 1, 2, 0] = 255  # an edge on all four sides: two steps right in 9 places, two down in 8
    np.testing.assert_allclose(gradient_energy(frame), 2 / 9 + 2 / 8)


def test_blur_is_less_sharp_and_the_last_frame_is_sharp():
    blurred = (VIDEOS.astype(float) + np.roll(VIDEOS, 1, axis=2) + np.roll(VIDEOS, 1, axis=3)) / 3
    scores = prediction_scores(blurred.astype(np.uint8), VIDEOS, given=1)
    assert (scores["sharpness"] < 0.7).all() and (scores["sharpness_copy"] > 0.9).all()


@pytest.mark.parametrize(("shape", "given"), [((3, 4, 12, 11, 1), 2), ((3, 4, 12, 12, 1), 0), ((3, 4, 12, 12, 1), 4)])
def test_what_cannot_be_scored_is_refused(shape, given):
    with pytest.raises(BadInput, match=f"from {given} frames cannot be scored"):
        prediction_scores(np.zeros(shape, np.uint8), VIDEOS, given)
