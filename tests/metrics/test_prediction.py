"""Scores of predicted frames, per step ahead."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity
from unchecked import unchecked

from gan_jax.errors import BadInput
from gan_jax.metrics.prediction import gradient_energy, squared_error_ahead, ssim_ahead

VIDEOS = np.random.default_rng(0).integers(0, 256, (3, 4, 16, 16, 1)).astype(np.uint8)


def test_squared_errors_are_sums_over_a_frame_by_step():
    predicted = VIDEOS.copy()
    predicted[:, 2] = 255 - predicted[:, 2]
    predicted[0, 3, 0, 0, 0] ^= 255
    expected = np.zeros(4)
    for t in (2, 3):
        a, b = (each[:, t].astype(float) / 255 for each in (VIDEOS, predicted))
        expected[t] = np.mean([((x - y) ** 2).sum() for x, y in zip(a, b, strict=True)])
    np.testing.assert_allclose(squared_error_ahead(predicted, VIDEOS), expected, atol=1e-12)
    with pytest.raises(BadInput, match="differ in shape"):
        unchecked("prediction").squared_error_ahead(predicted[:1], VIDEOS)


def test_similarity_is_that_of_every_frame():
    other = VIDEOS[::-1]
    found = ssim_ahead(other, VIDEOS)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    for t in range(4):
        maps = [
            structural_similarity(a[..., 0], b[..., 0], full=True, **options)[1][5:-5, 5:-5].mean()
            for a, b in zip(VIDEOS[:, t], other[:, t], strict=True)
        ]
        np.testing.assert_allclose(found[t], np.mean(maps), rtol=1e-6)
    np.testing.assert_allclose(ssim_ahead(VIDEOS, VIDEOS), 1)


def test_energy_is_that_of_the_edges_and_lower_when_blurred():
    edge = np.zeros((2, 3, 8, 8, 1), np.uint8)
    edge[:, 1, :, 4:] = 255
    blurred = edge.copy()
    blurred[:, 1, :, 4] = 127
    np.testing.assert_allclose(gradient_energy(edge), [0, 8, 0])
    np.testing.assert_allclose(gradient_energy(blurred)[1], 8 * (127**2 + 128**2) / 255**2)
