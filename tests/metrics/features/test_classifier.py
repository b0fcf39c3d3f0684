"""The small classifier learns digits quickly, is a function of its key, and refuses unusable data."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.data import mnist5k
from gan_jax.errors import BadInput
from gan_jax.metrics.features import classifier
from gan_jax.metrics.features.classifier import accuracy, train_classifier

KEY = jax.random.key(0)


@pytest.fixture(scope="module")
def digits():
    """Reads 600 zeros and ones at half size; the first 512 are for training."""
    source = mnist5k()
    examples = source.read(np.arange(source.size))
    rows = np.random.default_rng(0).permutation(np.flatnonzero(examples["y"] < 2))[:600]
    return examples["x"][rows, ::2, ::2], examples["y"][rows]


@pytest.fixture(scope="module")
def trained(digits):
    images, labels = digits
    return train_classifier(images[:512], labels[:512], 2, KEY, epochs=4)


@pytest.mark.slow
@pytest.mark.medium
def test_few_steps_separate_zeros_from_ones(digits, trained):
    images, labels = digits
    assert accuracy(trained, images[512:], labels[512:]) > 0.95
    assert accuracy(trained, images[512:], 1 - labels[512:]) < 0.05


@pytest.mark.slow
def test_training_is_a_function_of_the_key(digits, trained):
    images, labels = digits
    again = train_classifier(images[:512], labels[:512], 2, KEY, epochs=4)
    jax.tree.map(np.testing.assert_array_equal, trained, again)
    other = train_classifier(images[:512], labels[:512], 2, jax.random.key(1), epochs=4)
    assert not np.array_equal(other["out"]["kernel"], trained["out"]["kernel"])


def test_features_then_head_equal_the_network(digits, trained):
    x = jnp.asarray(digits[0][:4])
    features = classifier.features(trained, x)
    assert features.shape == (4, 128) and features.dtype == jnp.float32
    whole = classifier.Classifier(2).apply({"params": trained}, classifier.scaled(x))
    np.testing.assert_allclose(classifier.head(trained, features), whole, rtol=1e-5, atol=1e-6)


def test_dropout_is_active_only_with_keys(digits, trained):
    x = classifier.scaled(jnp.asarray(digits[0][:4]))
    network = classifier.Classifier(2)
    plain, dropped = (network.apply({"params": trained}, x, keys) for keys in (None, jax.random.split(KEY, 4)))
    assert not np.allclose(plain, dropped)


def test_shifts_move_images_by_up_to_two_pixels():
    x = jnp.zeros((9, 9, 1)).at[4, 4].set(1.0)
    moved = jax.vmap(lambda key: classifier._shifted(x, key))(jax.random.split(KEY, 300))
    where = np.argwhere(np.asarray(moved)[..., 0])
    assert len(where) == 300  # one pixel per image, none shifted out
    assert {tuple(place) for place in where[:, 1:] - 4} == {(i, j) for i in range(-2, 3) for j in range(-2, 3)}


@pytest.mark.parametrize(
    ("n", "labels", "words"),
    [
        (100, np.zeros(100, np.int32), "100 images are too few to train a classifier, at least 128"),
        (128, np.full(128, 2, np.int32), "integers from 0 to 1"),
        (128, np.full(128, -1, np.int32), "integers from 0 to 1"),
        (128, np.zeros(127, np.int32), "labels must be 128 integers from 0"),
    ],
)
def test_unusable_data_is_refused(n, labels, words):
    with pytest.raises(BadInput, match=words):
        train_classifier(np.zeros((n, 8, 8, 1), np.uint8), labels, 2, KEY)
