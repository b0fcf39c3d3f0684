"""Patches: cut where they should be, and the same features for the same patches, however images are batched."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan_jax.errors import BadInput
from gan_jax.metrics.features.network import FeatureNet
from gan_jax.metrics.patches import patch_features, patches

RANDOM = np.random.default_rng(0)
NET = FeatureNet("mean", "", "", {}, lambda _, pixels: pixels.mean((1, 2)))


@given(st.integers(3, 12), st.integers(3, 12), st.integers(1, 3), st.integers(1, 4))
def test_patches_are_all_windows_a_stride_apart(height, width, size, stride):
    images = RANDOM.integers(0, 256, (2, height, width, 3)).astype(np.uint8)
    expected = [
        image[top : top + size, left : left + size]
        for image in images
        for top in range(0, height - size + 1, stride)
        for left in range(0, width - size + 1, stride)
    ]
    np.testing.assert_array_equal(patches(images, size, stride), expected)


def test_features_are_those_of_the_patches_of_all_images():
    a, b = (RANDOM.integers(0, 256, (1, *size, 3)).astype(np.uint8) for size in ((8, 12), (9, 5)))
    found = patch_features(NET, [a, b], 4, 4)
    expected = np.concatenate([patches(each, 4, 4) for each in (a, b)]).mean((1, 2))
    assert found.shape == (2 * 3 + 2 * 1, 3)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_images_smaller_than_a_patch_are_refused():
    with pytest.raises(BadInput, match="4x9 are smaller than patches of 8x8"):
        patches(np.zeros((1, 4, 9, 3), np.uint8), 8, 8)
