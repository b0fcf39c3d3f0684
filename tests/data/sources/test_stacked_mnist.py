"""Stacked-MNIST: triples and their labels, mode frequencies, and refused data."""

import numpy as np
import pytest

from gan_jax import data
from gan_jax.data import device_resident, from_arrays, from_points, open_source, stack_digits
from gan_jax.errors import BadInput


def shades(n=50, classes=tuple("0123456789")):
    """Makes `n` gray noise images; image i has label i mod 10."""
    x = np.random.default_rng(0).integers(0, 256, (n, 28, 28, 1), np.uint8)
    return from_arrays("shades", x, np.arange(n) % 10, classes)


def test_images_stack_three_digits_and_labels_name_them():
    digits = shades()
    source = stack_digits(digits, n=20, seed=3)
    found = source.read(np.arange(20))
    drawn = np.random.RandomState(3).randint(50, size=60, dtype=np.int32)  # three indices per row
    for i, (image, label) in enumerate(zip(found["x"], found["y"], strict=True)):
        three = digits.read(drawn[3 * i : 3 * i + 3])
        for channel in range(3):
            np.testing.assert_array_equal(image[..., channel], three["x"][channel, ..., 0])
        assert source.classes[label] == "".join(map(str, three["y"]))
    assert found["x"].shape == (20, 28, 28, 3) and found["x"].dtype == np.uint8 and found["y"].dtype == np.int32


def test_read_depends_only_on_the_indices():
    first, again = stack_digits(shades(), n=30), stack_digits(shades(), n=30)
    everything = first.read(np.arange(30))
    some = again.read(np.array([29, 0, 7, 7]))
    for name, array in some.items():
        np.testing.assert_array_equal(array, everything[name][[29, 0, 7, 7]])
    assert (stack_digits(shades(), n=30, seed=1).read(np.arange(30))["y"] != everything["y"]).any()


def test_stacked_digits_say_what_the_digits_say():
    stacked = stack_digits(shades()._replace(report="split val, because there is no test", split="val"), n=5)
    assert (stacked.report, stacked.split) == ("split val, because there is no test", "val")


def test_32_pixels_pad_the_same_image():
    small, large = (stack_digits(shades(), n=5, size=size).read(np.arange(5))["x"] for size in (28, 32))
    assert large.shape == (5, 32, 32, 3)
    np.testing.assert_array_equal(large[:, 2:30, 2:30], small)
    assert large.sum() == small.sum()


@pytest.mark.medium
def test_stacked_mnist5k_has_1000_equally_frequent_modes():
    source = open_source("stacked:mnist5k")
    assert (source.name, source.size, source.shape) == ("stacked_mnist5k", 128_000, (28, 28, 3))
    assert source.classes[:2] == ("000", "001") and source.classes[999] == "999" and len(source.classes) == 1000
    counts = np.zeros(1000, int)
    for part in np.split(np.arange(128_000), 125):
        counts += np.bincount(source.read(part)["y"], minlength=1000)
    # Chi-square of 1,000 counts with mean 128: mean 999, standard deviation 45.
    assert abs(np.sum((counts - 128) ** 2 / 128) - 999) < 4 * 45
    assert open_source("stacked:mnist5k", size=32).shape == (32, 32, 3)


def test_device_resident_arrays_equal_the_source():
    source = stack_digits(shades(), n=3000)
    (arrays,) = device_resident(source, 0, 1, 8).arrays
    wanted = source.read(np.arange(3000))
    for name in wanted:
        np.testing.assert_array_equal(arrays[name], wanted[name])


def test_split_and_data_dir_are_passed_to_the_digits(monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(data, "tfds_source", lambda *args: calls.append(args[:3]) or shades()._replace(name="mnist"))
    assert open_source("stacked:mnist", tmp_path, split="test").name == "stacked_mnist"
    assert calls == [("mnist", tmp_path, "test")]
    with pytest.raises(BadInput, match="not for mnist5k"):
        open_source("stacked:mnist5k", tmp_path)


@pytest.mark.parametrize(
    ("digits", "says"),
    [
        (from_arrays("color", np.zeros((9, 28, 28, 3), np.uint8), np.arange(9), tuple("0123456789")), "gray"),
        (from_arrays("small", np.zeros((9, 8, 8, 1), np.uint8), np.arange(9), tuple("0123456789")), r"\(28, 28, 1\)"),
        (from_arrays("plain", np.zeros((9, 28, 28, 1), np.uint8)), "plain has 0 classes, not ten"),
        (shades(classes=tuple("abcdefghijk")), "shades has 11 classes, not ten"),
        (from_points("points", np.zeros((9, 2))), r"shape \(2,\)"),
    ],
)
def test_other_images_than_gray_labeled_digits_are_refused(digits, says):
    with pytest.raises(BadInput, match=says) as error:
        stack_digits(digits)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "size", "says"),
    [
        ("stacked:mnist5k", 30, "30x30 are not supported: give --image-size 28 or 32"),
        ("stacked:ring", None, r"ring has examples of shape \(2,\)"),
        ("stacked:stacked:mnist5k", None, "stacked_mnist5k has examples of shape"),
    ],
)
def test_other_sizes_and_toy_data_are_refused(name, size, says):
    with pytest.raises(BadInput, match=says):
        open_source(name, size=size)
