"""Attributes by their words: moments of images, and classes of a classifier."""

import os

import numpy as np
import pytest

from gan_jax import BadInput
from gan_jax.data import open_source
from gan_jax.evaluation.attribute_choice import choose_attribute
from gan_jax.evaluation.inputs import read_examples
from gan_jax.metrics.features.mnist import WEIGHTS


@pytest.mark.slow
def test_a_class_of_a_classifier_is_its_probability_found_from_any_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    attribute = choose_attribute(f"{os.path.relpath(WEIGHTS)}:3")
    assert attribute.name == "mnist-3" and attribute.word == f"{WEIGHTS}:3"
    images, labels, *_ = read_examples(open_source("mnist5k"), np.arange(0, 5000, 500))
    assert attribute.measure(images)[labels == 3].min() > 0.9 > 0.1 > attribute.measure(images)[labels != 3].max()


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("bolder", "unknown attribute 'bolder': choose sefa, boldness, slant, roundness, or FILE.npz:CLASS"),
        (f"{WEIGHTS}:ten", "has no class 'ten': choose one of 0, 1"),
        ("missing.npz:3", "missing.npz cannot be read"),
    ],
)
def test_unknown_words_are_refused(word, says):
    with pytest.raises(BadInput, match=says):
        choose_attribute(word, "sefa, ")
