"""EvalInputs: real images that are always the same ones, and one line for what is missing."""

import lenses
import numpy as np
import pytest

from gan_jax import BadInput
from gan_jax.data import from_arrays, from_points
from gan_jax.evaluation.figures import draw_sheets
from gan_jax.evaluation.inputs import EvalInputs, Labelled, Reference, chosen, every, read, see
from gan_jax.evaluation.suite import measure, named

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
    images, labels, classes = read(source(), np.array([3, 1, 39]))
    np.testing.assert_array_equal(images, IMAGES[[3, 1, 39]])
    np.testing.assert_array_equal(labels, LABELS[[3, 1, 39]])
    assert classes == tuple("abcd")
    assert read(from_arrays("bare", IMAGES), np.arange(2)).labels is None
    with pytest.raises(BadInput, match="points cannot"):
        read(from_points("line", np.zeros((5, 1))), np.arange(3))
    with pytest.raises(BadInput, match="holds no images"):
        every(from_arrays("nothing", IMAGES[:0]))


def test_what_is_seen_does_not_depend_on_how_many_are_looked_at():
    many = see(lenses.net, Labelled(np.concatenate([IMAGES] * 10)))
    few = see(lenses.net, Labelled(IMAGES[:3]))
    np.testing.assert_array_equal(few.features, many.features[:3])
    np.testing.assert_array_equal(few.probabilities, many.probabilities[:3])
    np.testing.assert_allclose(few.probabilities.sum(1), 1, rtol=1e-5)
    expected = lenses.head(lenses.net.params, lenses.apply(lenses.net.params, IMAGES[:3].astype(np.float32)))
    np.testing.assert_array_equal(few.predicted, np.asarray(expected).argmax(1))


def test_what_is_missing_is_said_in_a_line():
    alone = EvalInputs(lenses.blind, see(lenses.blind, Labelled(IMAGES)))
    of_test = Reference("test", source(), source)
    tested = EvalInputs(lenses.net, alone.fake, of_test.see(lenses.net, 9), of_test)
    for ask, complaint in (
        (lambda: alone.real, "nothing to compare with"),
        (lambda: alone.training(), "nothing to compare with"),
        (lambda: alone.held_out(), "nothing to compare with"),
        (lambda: alone.real_shares(), "nothing to compare with"),
        (lambda: alone.networks, "folder of a run"),
        (lambda: alone.fake.predicted, "does not classify"),
        (lambda: tested.training(), "leave --split out"),
    ):
        with pytest.raises(BadInput, match=complaint):
            ask()


def test_held_out_images_are_of_the_other_split():
    reference = Reference("train", source(), lambda: source(255 - IMAGES))
    fake, real = see(lenses.net, Labelled(IMAGES)), reference.see(lenses.net, 10)
    evidence = EvalInputs(lenses.net, fake, real, reference)
    assert len(evidence.real.images) == 10 and len(evidence.training().images) == 40
    images, labels, _ = evidence.held_out(5)
    assert len(images) == len(labels) == 5
    np.testing.assert_array_equal(images, 255 - IMAGES[chosen(40, 5)])
    assert len(evidence.held_out().images) == 40


def test_real_shares_are_those_of_all_labels_where_they_are_the_networks_classes():
    skewed = np.array([0] * 30 + [1] * 6 + [3] * 4, np.int32)
    reference = Reference("train", source(labels=skewed), source)
    fake = see(lenses.net, Labelled(IMAGES))
    exact = EvalInputs(lenses.net, fake, reference.see(lenses.net, 5), reference)
    np.testing.assert_allclose(exact.real_shares(), [0.75, 0.15, 0, 0.1])
    other = lenses.net._replace(classes=tuple("wxyz"))
    seen = EvalInputs(other, fake, reference.see(other, 40), reference)
    np.testing.assert_allclose(seen.real_shares(), np.bincount(seen.real.predicted, minlength=4) / 40)


def test_an_inception_score_does_not_depend_on_the_order_of_files():
    probabilities = np.eye(4, dtype=np.float32).repeat(50, axis=0)  # certain, even, and sorted by class
    seen = see(lenses.net, Labelled(np.concatenate([IMAGES] * 5)))._replace(probabilities=probabilities)
    found = measure(named("is"), EvalInputs(lenses.net, seen))["is"]
    assert found["is"] > 3.5 and found["is_spread"] < 0.3


def test_labels_of_other_meaning_are_not_compared():
    reference = Reference("train", source()._replace(classes=tuple("wxyz")), source)
    fake = see(lenses.net, Labelled(IMAGES, LABELS, tuple("abcd")))
    evidence = EvalInputs(lenses.net, fake, reference.see(lenses.net, 40), reference)
    with pytest.raises(BadInput, match=r"intra_fid: labels mean w, x, y .* and a, b, c"):
        measure(named("intra_fid"), evidence)
    assert 0 <= measure(named("label_accuracy"), evidence)["label_accuracy"]["label_accuracy"] <= 1
    with pytest.raises(BadInput, match="label_accuracy: labels mean"):
        measure(named("label_accuracy"), evidence._replace(net=lenses.net._replace(classes=tuple("wxyz"))))


def test_sheets_of_a_network_whose_classes_have_no_names_leave_them_out(tmp_path):
    reference, nameless = Reference("train", source(), source), lenses.net._replace(classes=())
    evidence = EvalInputs(nameless, see(nameless, Labelled(IMAGES)), reference.see(nameless, 40), reference)
    assert [file.name for file in draw_sheets(evidence, tmp_path)] == ["neighbors.png"]
    named_ones = evidence._replace(net=lenses.net)
    assert [file.name for file in draw_sheets(named_ones, tmp_path)] == ["neighbors.png", "classes.png"]
