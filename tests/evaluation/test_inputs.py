"""EvalInputs: a fixed subset of real images, and one-line errors for missing inputs."""

import numpy as np
import pytest
import tiny_features

from gan_jax import BadInput
from gan_jax.data import from_arrays, from_points
from gan_jax.data.derived import on_ground, resized
from gan_jax.data.source import read_batch
from gan_jax.evaluation.figures import draw_figures
from gan_jax.evaluation.inputs import (
    EvalInputs,
    LabeledExamples,
    Reference,
    compute_features,
    read_all,
    read_examples,
    subset_indices,
)
from gan_jax.evaluation.suite import compute_scores, parse_metrics

RANDOM = np.random.RandomState(1)
IMAGES = RANDOM.randint(0, 256, (40, 8, 8, 1)).astype(np.uint8)
LABELS = (np.arange(40) % 4).astype(np.int32)


def source(images=IMAGES, labels=LABELS):
    return from_arrays("tiles", images, labels, tuple("abcd"))


def test_subset_is_deterministic_and_without_repetition():
    few, all_of_them = subset_indices(40, 10), subset_indices(40, 100)
    assert len(set(few)) == 10 and set(few) <= set(range(40))
    np.testing.assert_array_equal(few, subset_indices(40, 10))
    np.testing.assert_array_equal(all_of_them, np.arange(40))
    assert set(subset_indices(1000, 10)) != set(range(10)), (
        "of data that is sorted by class the first would be of one class"
    )


def test_read_examples_returns_images_labels_and_classes_of_the_source():
    images, labels, classes, *_ = read_examples(source(), np.array([3, 1, 39]))
    np.testing.assert_array_equal(images, IMAGES[[3, 1, 39]])
    np.testing.assert_array_equal(labels, LABELS[[3, 1, 39]])
    assert classes == tuple("abcd")
    assert read_examples(from_arrays("bare", IMAGES), np.arange(2)).labels is None
    with pytest.raises(BadInput, match="only images"):
        read_examples(from_points("line", np.zeros((5, 1))), np.arange(3))
    with pytest.raises(BadInput, match="holds no images"):
        read_all(from_arrays("nothing", IMAGES[:0]))


def test_features_do_not_depend_on_the_number_of_images():
    many = compute_features(tiny_features.net, LabeledExamples(np.concatenate([IMAGES] * 10)))
    few = compute_features(tiny_features.net, LabeledExamples(IMAGES[:3]))
    np.testing.assert_array_equal(few.features, many.features[:3])
    np.testing.assert_array_equal(few.probabilities, many.probabilities[:3])
    np.testing.assert_allclose(few.probabilities.sum(1), 1, rtol=1e-5)
    expected = tiny_features.head(
        tiny_features.net.params, tiny_features.apply(tiny_features.net.params, IMAGES[:3].astype(np.float32))
    )
    np.testing.assert_array_equal(few.predicted, np.asarray(expected).argmax(1))


def test_missing_inputs_raise_bad_input():
    alone = EvalInputs(tiny_features.blind, compute_features(tiny_features.blind, LabeledExamples(IMAGES)))
    of_test = Reference("test", source(), source)
    tested = EvalInputs(tiny_features.net, alone.fake, of_test.features(tiny_features.net, 9), of_test)
    for ask, complaint in (
        (lambda: alone.real, "no real images to compare with"),
        (lambda: alone.training_rows(), "no real images to compare with"),
        (lambda: alone.held_out(), "no real images to compare with"),
        (lambda: alone.real_shares(), "no real images to compare with"),
        (lambda: alone.probes, "needs a run whose samples are drawn from noise: give its folder"),
        (lambda: alone.fake.predicted, "has no classes"),
        (lambda: tested.training_rows(), "leave --split out"),
    ):
        with pytest.raises(BadInput, match=complaint):
            ask()


def test_held_out_images_come_from_the_other_split():
    reference = Reference("train", source(), lambda: source(255 - IMAGES))
    fake, real = compute_features(tiny_features.net, LabeledExamples(IMAGES)), reference.features(tiny_features.net, 10)
    inputs = EvalInputs(tiny_features.net, fake, real, reference)
    assert len(inputs.real.examples) == 10 and len(inputs.training_rows()) == 40
    images, labels, *_ = inputs.held_out(5)
    assert len(images) == len(labels) == 5
    np.testing.assert_array_equal(images, 255 - IMAGES[subset_indices(40, 5)])
    assert len(inputs.held_out().examples) == 40


def test_real_shares_use_all_labels_if_their_classes_are_the_networks():
    skewed = np.array([0] * 30 + [1] * 6 + [3] * 4, np.int32)
    reference = Reference("train", source(labels=skewed), source)
    fake = compute_features(tiny_features.net, LabeledExamples(IMAGES))
    exact = EvalInputs(tiny_features.net, fake, reference.features(tiny_features.net, 5), reference)
    np.testing.assert_allclose(exact.real_shares(), [0.75, 0.15, 0, 0.1])
    other = tiny_features.net._replace(classes=tuple("wxyz"))
    seen = EvalInputs(other, fake, reference.features(other, 40), reference)
    np.testing.assert_allclose(seen.real_shares(), np.bincount(seen.real.predicted, minlength=4) / 40)


def test_inception_score_does_not_depend_on_file_order():
    probabilities = np.eye(4, dtype=np.float32).repeat(50, axis=0)  # certain, even, and sorted by class
    seen = compute_features(tiny_features.net, LabeledExamples(np.concatenate([IMAGES] * 5)))._replace(
        probabilities=probabilities
    )
    found = compute_scores(parse_metrics("is"), EvalInputs(tiny_features.net, seen))["is"]
    assert found["is"] > 3.5 and found["is_spread"] < 0.3


def test_labels_with_different_class_names_are_not_compared():
    reference = Reference("train", source()._replace(classes=tuple("wxyz")), source)
    fake = compute_features(tiny_features.net, LabeledExamples(IMAGES, LABELS, tuple("abcd")))
    inputs = EvalInputs(tiny_features.net, fake, reference.features(tiny_features.net, 40), reference)
    with pytest.raises(BadInput, match=r"intra_fid: labels have different classes \(w, x, y .* and a, b, c"):
        compute_scores(parse_metrics("intra_fid"), inputs)
    assert 0 <= compute_scores(parse_metrics("label_accuracy"), inputs)["label_accuracy"]["label_accuracy"] <= 1
    with pytest.raises(BadInput, match="label_accuracy: labels have different classes"):
        compute_scores(
            parse_metrics("label_accuracy"), inputs._replace(net=tiny_features.net._replace(classes=tuple("wxyz")))
        )


def test_no_class_figure_for_a_network_without_class_names(tmp_path):
    reference, nameless = Reference("train", source(), source), tiny_features.net._replace(classes=())
    inputs = EvalInputs(
        nameless, compute_features(nameless, LabeledExamples(IMAGES)), reference.features(nameless, 40), reference
    )
    assert [file.name for file in draw_figures(inputs, tmp_path)] == ["neighbors.png"]
    named_ones = inputs._replace(net=tiny_features.net)
    assert [file.name for file in draw_figures(named_ones, tmp_path)] == ["neighbors.png", "classes.png"]


def test_images_are_read_as_they_are_trained_on():
    """Resized and on grounds, not as the files store them; rounded to 8 bits, and the same every time."""
    derived = on_ground(resized(source(), 12))
    images, labels, *_ = read_examples(derived, np.arange(40))
    assert images.shape == (40, 12, 12, 3) and images.dtype == np.uint8
    decoded = np.asarray(read_batch(derived, np.arange(40))["x"])
    np.testing.assert_allclose(images / 127.5 - 1, decoded, atol=1 / 255 + 1e-6)
    np.testing.assert_array_equal(read_examples(derived, np.array([7, 3])).examples, images[[7, 3]])
    np.testing.assert_array_equal(labels, LABELS)


def test_stored_bytes_are_read_unchanged():
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    np.testing.assert_array_equal(read_all(from_arrays("ramp", every)).examples, every)
