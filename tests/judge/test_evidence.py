"""Evidence: real images that are always the same ones, and one line for what is missing."""

import lenses
import numpy as np
import pytest

from gan_jax import BadInput
from gan_jax.data import from_arrays, from_points
from gan_jax.judge.evidence import Evidence, Reference, chosen, look_at, read, see

RANDOM = np.random.RandomState(1)
IMAGES = RANDOM.randint(0, 256, (40, 8, 8, 1)).astype(np.uint8)
LABELS = (np.arange(40) % 4).astype(np.int32)


def source(images=IMAGES, labels=LABELS):
    return from_arrays("tiles", images, labels, tuple("abcd"))


def test_the_same_examples_are_chosen_always_and_none_twice():
    few, all_of_them = chosen(40, 10), chosen(40, 100)
    assert len(set(few)) == 10 and set(few) <= set(range(40))
    np.testing.assert_array_equal(few, chosen(40, 10))
    np.testing.assert_array_equal(all_of_them, np.arange(40))
    assert set(chosen(1000, 10)) != set(range(10)), "of data that is sorted by class the first would be of one class"


def test_what_is_read_is_what_the_source_holds_with_its_labels():
    images, labels = read(source(), np.array([3, 1, 39]))
    np.testing.assert_array_equal(images, IMAGES[[3, 1, 39]])
    np.testing.assert_array_equal(labels, LABELS[[3, 1, 39]])
    assert read(from_arrays("bare", IMAGES), np.arange(2))[1] is None
    with pytest.raises(BadInput, match="points cannot"):
        read(from_points("line", np.zeros((5, 1))), np.arange(3))


def test_what_is_seen_does_not_depend_on_how_many_are_looked_at():
    many = see(lenses.net, np.concatenate([IMAGES] * 10))
    few = see(lenses.net, IMAGES[:3])
    np.testing.assert_array_equal(few.features, many.features[:3])
    np.testing.assert_array_equal(few.probabilities, many.probabilities[:3])
    np.testing.assert_allclose(few.probabilities.sum(1), 1, rtol=1e-5)
    expected = lenses.head(lenses.net.params, lenses.apply(lenses.net.params, IMAGES[:3].astype(np.float32)))
    np.testing.assert_array_equal(few.classes, np.asarray(expected).argmax(1))


def test_what_is_missing_is_said_in_a_line():
    alone = Evidence(see(lenses.blind, IMAGES), None, None, None)
    for ask, complaint in (
        (lambda: alone.real, "nothing to compare with"),
        (lambda: alone.every_real(), "nothing to compare with"),
        (lambda: alone.held_out(), "nothing to compare with"),
        (lambda: alone.networks, "folder of a run"),
        (lambda: alone.fake.classes, "does not classify"),
    ):
        with pytest.raises(BadInput, match=complaint):
            ask()


def test_held_out_images_are_of_the_other_split():
    other = source(255 - IMAGES)
    reference = Reference("train", source(), lambda: other)
    evidence = Evidence(see(lenses.net, IMAGES), look_at(reference, lenses.net, 10), reference, None)
    assert len(evidence.real.images) == 10 and len(evidence.every_real()) == 40
    images, labels = evidence.held_out(5)
    assert len(images) == len(labels) == 5
    np.testing.assert_array_equal(images, 255 - IMAGES[chosen(40, 5)])
    assert len(evidence.held_out()[0]) == 40
