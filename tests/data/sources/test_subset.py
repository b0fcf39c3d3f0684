"""Class-balanced subsets: fixed, nested, with equal class counts; and their errors."""

import numpy as np
import pytest

from gan_jax import data
from gan_jax.data import balanced_subset, from_arrays, open_source, stack_digits
from gan_jax.data.modality import IMAGE, Leaf
from gan_jax.data.sources.subset import CHUNK, whole
from gan_jax.errors import BadInput
from gan_jax.evaluation.feature_choice import choose_features


def numbered(counts):
    """Makes images that encode their index, sorted by class; class k has `counts[k]`."""
    n = sum(counts)
    x = np.arange(n, dtype="<u4").view(np.uint8).reshape(n, 2, 2, 1)
    return from_arrays("numbered", x, np.repeat(np.arange(len(counts)), counts), tuple("abc"[: len(counts)]))


def numbers(source):
    """Returns the indices in `numbered` of a source's images."""
    return source.read(np.arange(source.size))["x"].reshape(-1, 4).copy().view("<u4").ravel()


def test_subset_has_equal_class_counts_and_keeps_labels():
    source = balanced_subset(numbered([2000, 900, 40]), 90)
    assert (source.name, source.size, source.shape) == ("numbered_90", 90, (2, 2, 1)) and source.classes == (
        "a",
        "b",
        "c",
    )
    labels = source.read(np.arange(90))["y"]
    assert np.bincount(labels).tolist() == [30, 30, 30]
    found = numbers(source)
    assert len(set(found)) == 90
    np.testing.assert_array_equal(labels, np.searchsorted([2000, 2900], found, side="right"))


def test_subset_is_the_first_of_each_class_in_a_fixed_permutation():
    counts = [50, 60, 70]
    order = np.random.RandomState(0).permutation(180)
    wanted = []
    for first, last in ((0, 50), (50, 110), (110, 180)):
        wanted += [i for i in order if first <= i < last][:7]
    assert numbers(balanced_subset(numbered(counts), 21)).tolist() == sorted(wanted)


def test_subsets_are_nested_and_the_full_one_is_the_source():
    counts = [3 * CHUNK, 2 * CHUNK, CHUNK]  # some classes are complete after the first chunk
    less, more = (set(numbers(balanced_subset(numbered(counts), n))) for n in (30, 3000))
    assert less < more
    every = balanced_subset(numbered([20, 20, 20]), 60)
    assert numbers(every).tolist() == list(range(60))


def test_subset_is_spread_over_the_data():
    found = numbers(balanced_subset(numbered([1000, 1000]), 200))
    assert abs(found.mean() - 999.5) < 4 * 1000 / np.sqrt(12 * 200)


def test_read_depends_only_on_the_indices():
    first, again = balanced_subset(numbered([50, 60, 70]), 21), balanced_subset(numbered([50, 60, 70]), 21)
    everything, some = first.read(np.arange(21)), again.read(np.array([20, 0, 7, 7]))
    for name, array in some.items():
        np.testing.assert_array_equal(array, everything[name][[20, 0, 7, 7]])


def test_subsets_of_built_in_data():
    source = open_source("mnist5k:500")
    assert (source.name, source.size, source.shape) == ("mnist5k_500", 500, (28, 28, 1)) and source.classes == tuple(
        "0123456789"
    )
    assert np.bincount(source.read(np.arange(500))["y"]).tolist() == [50] * 10
    assert open_source("ring:80").size == 80
    triples = open_source("stacked:mnist5k:500")
    assert triples[:2] == ("stacked_mnist5k_500", 128_000)
    np.testing.assert_array_equal(triples.read(np.arange(5))["x"], stack_digits(source).read(np.arange(5))["x"])
    for n, says in ((5005, "5005 is not divisible"), (5010, "class 0 of mnist5k has 500")):
        with pytest.raises(BadInput, match=says):
            open_source(f"mnist5k:{n}")


def test_subsets_of_folders(draw):
    files = {f"{split}/{name}/{i}.png": i for split in ("train", "test") for name in "ab" for i in range(9)}
    folder = draw(files)
    source = open_source(f"{folder}:6", size=8)
    assert (source.name, source.size, source.shape) == ("set_6", 6, (8, 8, 3)) and source.classes == ("a", "b")
    assert open_source(f"{folder}:6", split="test").size == 18  # other splits stay whole
    whole_name = folder.rename(folder.with_name("set:6"))
    assert open_source(str(whole_name)).size == 18  # an existing path is never parsed


def test_only_the_training_split_of_tfds_data_is_reduced(monkeypatch, tmp_path):
    calls = []
    tfds = numbered([40, 40])._replace(name="mnist")
    monkeypatch.setattr(data, "tfds_source", lambda *args: calls.append(args[:3]) or tfds)
    assert open_source("mnist:20", tmp_path).name == "mnist_20"
    assert open_source("mnist:20", tmp_path, split="test") is tfds
    assert open_source("mnist:3.0.1") is tfds
    assert calls == [("mnist", tmp_path, "train"), ("mnist", tmp_path, "test"), ("mnist:3.0.1", None, "train")]


def test_subset_of_digits_gets_the_features_of_digits():
    assert whole("mnist5k_500") == "mnist5k" and whole("stacked_mnist5k_500") == "stacked_mnist5k"
    assert whole("mnist5k") == "mnist5k"
    assert choose_features("", None, Leaf((28, 28, 1), IMAGE), "mnist5k_500").name == "mnist"


@pytest.mark.parametrize(
    ("counts", "n", "says"),
    [
        ([10, 10, 10], 31, "31 is not divisible by the 3 classes of numbered: give a multiple of 3"),
        ([10, 10, 10], 0, "0 is not divisible"),
        ([10, 10, 10], 33, "33 examples take 11 of each class, but class a of numbered has 10: give fewer"),
        ([10, 4, 10], 15, "15 examples take 5 of each class, but class b of numbered has 4"),
        ([10, 10, 0], 3, "class c of numbered has 0"),
    ],
)
def test_impossible_subsets_give_one_line_errors(counts, n, says):
    with pytest.raises(BadInput, match=says) as error:
        balanced_subset(numbered(counts), n)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("spiral:100", "spiral has no labels, so :100 cannot select 100 of it by class: leave :100 out"),
        ("./nowhere:10", "./nowhere does not exist"),
    ],
)
def test_subsets_of_unlabeled_or_missing_data_are_refused(name, says):
    with pytest.raises(BadInput, match=says):
        open_source(name)


def test_missing_split_of_a_subset_is_refused():
    with pytest.raises(BadInput, match="mnist5k has no split 'test'"):
        open_source("mnist5k:500", split="test")
