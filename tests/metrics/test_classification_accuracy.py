"""The classification accuracy score: high for real images, at chance for random labels, low for wrong ones."""

import jax
import numpy as np
import pytest

from gan_jax.data import mnist5k
from gan_jax.errors import BadInput
from gan_jax.metrics.classification_accuracy import classifier_accuracy

KEY = jax.random.key(0)


@pytest.fixture(scope="module")
def digits():
    """Reads digits 0, 1, 2 at half size: 512 as generated images, 256 for testing."""
    source = mnist5k()
    examples = source.read(np.arange(source.size))
    rows = np.random.default_rng(0).permutation(np.flatnonzero(np.isin(examples["y"], (0, 1, 2))))[:768]
    images, labels = examples["x"][rows, ::2, ::2], examples["y"][rows]
    return images[:512], labels[:512], images[512:], labels[512:]


def score(images, labels, test_images, test_labels):
    return classifier_accuracy(images, labels, test_images, test_labels, KEY, epochs=8)


@pytest.mark.slow
def test_score_of_real_images_is_high(digits):
    assert score(*digits) > 0.9


@pytest.mark.slow
def test_score_of_random_labels_is_at_chance(digits):
    images, labels, *test = digits
    assert 0.15 < score(images, np.random.default_rng(0).permutation(labels), *test) < 0.55


@pytest.mark.slow
def test_score_of_permuted_classes_is_low(digits):
    images, labels, *test = digits
    assert score(images, (labels + 1) % 3, *test) < 0.1


IMAGES, LABELS = np.zeros((128, 8, 8, 1), np.uint8), np.arange(128) % 4


@pytest.mark.parametrize(
    ("generated", "real", "words"),
    [
        ((IMAGES[:100], LABELS[:100]), (IMAGES, LABELS), "100 images are too few"),
        ((IMAGES[:, :7], LABELS), (IMAGES, LABELS), r"generated images are \[7, 8, 1\], real ones \[8, 8, 1\]"),
        ((IMAGES, LABELS), (IMAGES[:0], LABELS[:0]), "real images must be uint8"),
        ((IMAGES / 255, LABELS), (IMAGES, LABELS), "generated images must be uint8"),
        ((IMAGES[..., 0], LABELS), (IMAGES, LABELS), "generated images must be uint8"),
        ((IMAGES, LABELS[:-1]), (IMAGES, LABELS), r"generated labels must be 128 integers .* not int64 \[127\]"),
        ((IMAGES, LABELS * 1.0), (IMAGES, LABELS), "generated labels must be 128 integers"),
        ((IMAGES, LABELS), (IMAGES, LABELS - 1), "real labels must be 128 integers of at least 0"),
        ((IMAGES, LABELS // 2), (IMAGES, LABELS), r"2 classes were not generated \(2, 3\)"),
    ],
)
def test_unusable_data_is_refused(generated, real, words):
    with pytest.raises(BadInput, match=words):
        classifier_accuracy(*generated, *real, KEY)
