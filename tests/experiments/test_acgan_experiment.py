"""The ACGAN experiment plays on color images of as many classes as there are, and refuses unlabeled data."""

import numpy as np
import pytest
from stepping import built, three_steps

from gan_jax import BadInput
from gan_jax.data import from_arrays


def color(n=32, labeled=True):
    """Makes noise images of two classes."""
    x = np.random.RandomState(0).randint(0, 256, (n, 32, 32, 3), np.uint8)
    return from_arrays("noise", x, np.arange(n) % 2, ("even", "odd")) if labeled else from_arrays("noise", x)


@pytest.mark.slow
def test_three_steps_in_color():
    played = three_steps("acgan", source=color())
    assert played.samples.shape == (50, 32, 32, 3)
    assert played.game.codes["y"].classes == 2
    assert 0 <= played.metrics["d/class_accuracy_real"] <= 1


def test_images_without_labels_are_refused():
    with pytest.raises(BadInput, match="noise has no labels: give"):
        built("acgan", source=color(labeled=False))
