"""A few of many: as many of each class, always the same ones, the fewer among the more; and what cannot be had."""

import numpy as np
import pytest

from gan_jax import data
from gan_jax.data import few, from_arrays, open_source, stacked
from gan_jax.data.sources.subset import CHUNK, whole
from gan_jax.errors import BadInput
from gan_jax.evaluation.feature_choice import choose_features


def numbered(counts):
    """Images that show their own number; class k has `counts[k]`, in a row."""
    n = sum(counts)
    x = np.arange(n, dtype="<u4").view(np.uint8).reshape(n, 2, 2, 1)
    return from_arrays("numbered", x, np.repeat(np.arange(len(counts)), counts), tuple("abc"[: len(counts)]))


def numbers(source):
    """Which images of `numbered` a source has."""
    return source.read(np.arange(source.size))["x"].reshape(-1, 4).copy().view("<u4").ravel()


def test_there_are_as_many_of_each_class_with_their_own_labels():
    source = few(numbered([2000, 900, 40]), 90)
    assert source[:3] == ("numbered_90", 90, (2, 2, 1)) and source.classes == ("a", "b", "c")
    labels = source.read(np.arange(90))["y"]
    assert np.bincount(labels).tolist() == [30, 30, 30]
    found = numbers(source)
    assert len(set(found)) == 90
    np.testing.assert_array_equal(labels, np.searchsorted([2000, 2900], found, side="right"))


def test_they_are_the_first_of_each_class_in_a_fixed_order():
    counts = [50, 60, 70]
    order = np.random.RandomState(0).permutation(180)
    wanted = []
    for first, last in ((0, 50), (50, 110), (110, 180)):
        wanted += [i for i in order if first <= i < last][:7]
    assert numbers(few(numbered(counts), 21)).tolist() == sorted(wanted)


def test_fewer_are_among_more_and_all_are_all():
    counts = [3 * CHUNK, 2 * CHUNK, CHUNK]  # of which some are found in the first chunk already
    less, more = (set(numbers(few(numbered(counts), n))) for n in (30, 3000))
    assert less < more
    every = few(numbered([20, 20, 20]), 60)
    assert numbers(every).tolist() == list(range(60))


def test_they_are_spread_over_the_data():
    found = numbers(few(numbered([1000, 1000]), 200))
    assert abs(found.mean() - 999.5) < 4 * 1000 / np.sqrt(12 * 200)


def test_reading_depends_on_nothing_but_the_indices():
    first, again = few(numbered([50, 60, 70]), 21), few(numbered([50, 60, 70]), 21)
    everything, some = first.read(np.arange(21)), again.read(np.array([20, 0, 7, 7]))
    for name, array in some.items():
        np.testing.assert_array_equal(array, everything[name][[20, 0, 7, 7]])


def test_built_in_data_and_worlds_by_their_names():
    source = open_source("mnist5k:500")
    assert source[:3] == ("mnist5k_500", 500, (28, 28, 1)) and source.classes == tuple("0123456789")
    assert np.bincount(source.read(np.arange(500))["y"]).tolist() == [50] * 10
    assert open_source("ring:80").size == 80
    triples = open_source("stacked:mnist5k:500")
    assert triples[:2] == ("stacked_mnist5k_500", 128_000)
    np.testing.assert_array_equal(triples.read(np.arange(5))["x"], stacked(source).read(np.arange(5))["x"])
    for n, says in ((5005, "5005 is not as many"), (5010, "class 0 has 500")):
        with pytest.raises(BadInput, match=says):
            open_source(f"mnist5k:{n}")


def test_folders_by_their_paths(draw):
    files = {f"{split}/{name}/{i}.png": i for split in ("train", "test") for name in "ab" for i in range(9)}
    folder = draw(files)
    source = open_source(f"{folder}:6", size=8)
    assert source[:3] == ("set_6", 6, (8, 8, 3)) and source.classes == ("a", "b")
    assert open_source(f"{folder}:6", split="test").size == 18  # only training data is few
    whole_name = folder.rename(folder.with_name("set:6"))
    assert open_source(str(whole_name)).size == 18  # what is there goes by its name


def test_tfds_data_by_its_name_and_only_its_training_split(monkeypatch, tmp_path):
    asked = []
    there = numbered([40, 40])._replace(name="mnist")
    monkeypatch.setattr(data, "tfds_source", lambda *args: asked.append(args) or there)
    assert open_source("mnist:20", tmp_path).name == "mnist_20"
    assert open_source("mnist:20", tmp_path, split="test") is there
    assert open_source("mnist:3.0.1") is there
    assert asked == [("mnist", tmp_path, "train"), ("mnist", tmp_path, "test"), ("mnist:3.0.1", None, "train")]


def test_few_digits_are_seen_as_digits():
    assert whole("mnist5k_500") == "mnist5k" and whole("stacked_mnist5k_500") == "stacked_mnist5k"
    assert whole("mnist5k") == "mnist5k"
    assert choose_features("", None, (28, 28, 1), "mnist5k_500").name == "mnist"


@pytest.mark.parametrize(
    ("counts", "n", "says"),
    [
        ([10, 10, 10], 31, "31 is not as many of each of numbered's 3 classes: give a multiple of 3"),
        ([10, 10, 10], 0, "0 is not as many of each"),
        ([10, 10, 10], 33, "33 examples are 11 of each class, and numbered's class a has 10: give fewer"),
        ([10, 4, 10], 15, "15 examples are 5 of each class, and numbered's class b has 4"),
        ([10, 10, 0], 3, "class c has 0"),
    ],
)
def test_what_cannot_be_had_is_refused(counts, n, says):
    with pytest.raises(BadInput, match=says) as error:
        few(numbered(counts), n)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("spiral:100", "spiral has no labels, and 100 of it cannot be as many of each class: leave :100 out"),
        ("./nowhere:10", "./nowhere does not exist"),
    ],
)
def test_names_that_cannot_be_had_are_refused(name, says):
    with pytest.raises(BadInput, match=says):
        open_source(name)


def test_what_has_no_other_split_has_none_either_when_it_is_few():
    with pytest.raises(BadInput, match="mnist5k has no split 'test'"):
        open_source("mnist5k:500", split="test")
