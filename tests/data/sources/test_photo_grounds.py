"""Digits on crops of photographs: differences in bytes, crops that are inside one photograph, names of such data."""

import numpy as np
import pytest
from PIL import Image

from gan_jax.data import from_arrays, open_source, paired
from gan_jax.data.derived import resized
from gan_jax.data.source import fingerprint
from gan_jax.data.sources.photo_grounds import on_photographs
from gan_jax.errors import BadInput

RANDOM = np.random.default_rng(0)
PHOTOS = from_arrays("photos", RANDOM.integers(0, 256, (5, 9, 11, 3)).astype(np.uint8))
ALL = np.arange(40)


def digits(value=None, split="train"):
    images = RANDOM.integers(0, 256, (40, 6, 4, 1)) if value is None else np.full((40, 6, 4, 1), value)
    return from_arrays("digits", images.astype(np.uint8), ALL % 10, tuple("0123456789"))._replace(split=split)


def crops():
    """Lists every crop of every photograph, as bytes."""
    photos = PHOTOS.read(np.arange(5))["x"]
    return {photo[i : i + 6, j : j + 4].tobytes() for photo in photos for i in range(4) for j in range(8)}


def test_black_digits_are_crops_and_white_ones_their_negatives():
    black, white = (on_photographs(digits(value), PHOTOS).read(ALL)["x"] for value in (0, 255))
    assert black.shape == (40, 6, 4, 3) and black.dtype == np.uint8
    np.testing.assert_array_equal(255 - black, white)
    found = {image.tobytes() for image in black}
    assert found <= crops() and len(found) > 30


def test_digits_are_seen_as_differences_from_their_grounds():
    source = digits()
    shown, grounds = (on_photographs(each, PHOTOS).read(ALL)["x"].astype(int) for each in (source, digits(0)))
    np.testing.assert_array_equal(shown, np.abs(source.read(ALL)["x"].astype(int) - grounds))


def test_ground_depends_on_the_index_and_the_split_alone():
    source = on_photographs(digits(0), PHOTOS)
    np.testing.assert_array_equal(source.read(np.array([7, 3]))["x"], source.read(ALL)["x"][[7, 3]])
    test = on_photographs(digits(0, "test"), PHOTOS)
    assert not np.array_equal(test.read(ALL)["x"], source.read(ALL)["x"])
    assert (source.classes, source.split, source.read(ALL)["y"].tolist()) == (digits().classes, "train", [*ALL % 10])


def test_derived_digits_are_put_on_grounds_as_they_are_derived():
    source = on_photographs(resized(digits(255), 3), PHOTOS)
    assert source.shape == (3, 3, 3) and source.read(ALL)["x"].shape == (40, 3, 3, 3)


def test_photographs_are_named_before_the_data(tmp_path):
    for name, size in (("a", (80, 60)), ("b", (64, 57))):
        Image.fromarray(RANDOM.integers(0, 256, (*size, 3)).astype(np.uint8)).save(tmp_path / f"{name}.png")
    source = open_source(f"ground={tmp_path}:mnist5k:20")
    assert source.shape == (28, 28, 3) and source.size == 20 and len(source.classes) == 10
    assert fingerprint(source) == fingerprint(open_source(f"ground={tmp_path}:mnist5k:20"))
    unpaired = open_source("color:mnist5k", to=f"ground={tmp_path}:mnist5k:20")
    assert {name: unpaired.spec[name].shape for name in "ab"} == dict.fromkeys("ab", (28, 28, 3))


def test_mistakes_are_told_in_one_line(tmp_path):
    Image.new("RGB", (40, 90)).save(tmp_path / "a.png")
    with pytest.raises(BadInput, match=r"^grounds of mnist5k_20, cut from squares of 56 pixels: .*\b40x90\b[^\n]*$"):
        open_source(f"ground={tmp_path}:mnist5k:20")
    with pytest.raises(BadInput, match="photos has photographs of 11x9: grounds are as large"):
        on_photographs(from_arrays("large", np.zeros((2, 10, 4, 1), np.uint8)), PHOTOS)
    with pytest.raises(BadInput, match="has the arrays a, y, x: grounds are for images x"):
        on_photographs(paired(digits(), digits()), PHOTOS)
