"""Image sets: names without endings and wrapping folders, gray and color, and partners by name."""

import shutil

import numpy as np
import pytest
from PIL import Image

from gan_jax.data import open_source
from gan_jax.data.source import read_rounded
from gan_jax.errors import BadInput
from gan_jax.evaluation.image_sets import check_pairs, open_image_set, open_named, pairs

RANDOM = np.random.default_rng(0)


def draw(folder, sizes, color=True):
    """Writes random images, named by their path, of (height, width)."""
    for name, size in sizes.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = RANDOM.integers(0, 256, (*size, 3) if color else size).astype(np.uint8)
        Image.fromarray(pixels).save(folder / name)
    return folder


def opened(path, tmp_path):
    return open_image_set(path, tmp_path)


@pytest.mark.parametrize("kind", [None, "gztar", "zip"])
def test_names_have_no_endings_and_no_folders_that_all_share(tmp_path, kind):
    folder = draw(tmp_path / "set", {"test/photo/b.x.png": (4, 5), "test/photo/deep/a.bmp": (6, 7)})
    (folder / "test" / "notes.txt").write_text("no image")
    path = folder if kind is None else shutil.make_archive(str(tmp_path / "packed"), kind, folder)
    found = opened(tmp_path / path, tmp_path)
    assert {name: image.size for name, image in found.images.items()} == {"b.x": (5, 4), "deep/a": (7, 6)}
    assert "2 images; left out 1: 1 not images (.txt)" in found.report
    original = np.asarray(Image.open(folder / "test/photo/b.x.png"))
    np.testing.assert_array_equal(found.images["b.x"].read("RGB"), original)


def test_pairs_have_the_mode_of_the_targets(tmp_path):
    """Gray targets make gray pairs; one target in color makes all of them color."""
    color, gray = draw(tmp_path / "color", {"a.png": (4, 4)}), draw(tmp_path / "gray", {"a.png": (4, 4)}, color=False)
    color, gray = (opened(each, tmp_path) for each in (color, gray))
    [(_, x, target)] = pairs(color, gray)
    assert x.shape == target.shape == (1, 4, 4, 1)
    [(_, x, target)] = pairs(gray, color)
    assert x.shape == target.shape == (1, 4, 4, 3)
    np.testing.assert_array_equal(x[..., 0], x[..., 2])


def test_one_image_is_a_set(tmp_path):
    """Named as in its folder, whatever lies beside it."""
    draw(tmp_path, {"a.b.png": (4, 5), "c.png": (6, 6)})
    found = open_named(str(tmp_path / "a.b.png"), tmp_path)
    assert {name: image.size for name, image in found.images.items()} == {"a.b": (5, 4)}
    (tmp_path / "c.png").write_bytes(b"nothing")
    with pytest.raises(BadInput, match=f"{tmp_path / 'c.png'}[^/]"):
        open_named(str(tmp_path / "c.png"), tmp_path)


@pytest.mark.parametrize("size", [(4, 5), (1, 5), (4, 1)])
def test_arrays_are_named_by_their_index(tmp_path, size):
    images = RANDOM.integers(0, 256, (12, *size, 1)).astype(np.uint8)
    np.savez(tmp_path / "x.npz", images=images)
    found = opened(tmp_path / "x.npz", tmp_path)
    assert list(found.images) == [str(i) for i in range(12)] and found.mode == "L"
    np.testing.assert_array_equal(np.concatenate(list(found.decoded("L"))), images)
    np.testing.assert_array_equal(found.images["3"].read("RGB"), np.repeat(images[3], 3, axis=2))


def test_splits_of_arrays_are_resized_as_for_training_and_labeled(tmp_path):
    arrays = {"x_test": RANDOM.integers(0, 256, (300, 6, 6)).astype(np.uint8), "y_test": np.arange(300) % 7}
    np.savez(tmp_path / "x.npz", x_train=arrays["x_test"][:1], y_train=arrays["y_test"][:1], **arrays)
    source = open_source(str(tmp_path / "x.npz"), split="test", size=8)
    for name, split in ((tmp_path / "x.npz", "test"), (f"{tmp_path / 'x.npz'}@test", "train")):
        found = open_named(str(name), tmp_path, split, 8)
        assert found.labels() == {str(i): str(i % 7) for i in range(300)} and found.images["3"].size == (8, 8)
        images = np.concatenate(list(found.decoded("L")))
        np.testing.assert_array_equal(images, read_rounded(source, np.arange(300))["x"])


def test_labels_of_files_are_their_folders(tmp_path):
    folder = draw(tmp_path / "set", {"test/3/a.png": (4, 6), "test/7/a.png": (6, 4)})
    found = open_named(str(folder), tmp_path, size=2)
    assert found.labels() == {"3/a": "3", "7/a": "7"}
    assert [image.read("RGB").shape for image in found.images.values()] == [(2, 2, 3)] * 2
    assert opened(draw(tmp_path / "flat", {"a.png": (4, 4)}), tmp_path).labels() == {}


def test_digest_depends_on_names_and_pixels(tmp_path):
    folder = draw(tmp_path / "set", {"a.png": (4, 4), "b.png": (4, 4)})
    before = opened(folder, tmp_path).digest()
    shutil.copytree(folder, tmp_path / "copy")
    assert opened(tmp_path / "copy", tmp_path).digest() == before
    (folder / "b.png").rename(folder / "c.png")
    assert opened(folder, tmp_path).digest() != before
    draw(tmp_path / "copy", {"b.png": (4, 4)})
    assert opened(tmp_path / "copy", tmp_path).digest() != before


SIZES = {f"{name}.png": (4, 4) for name in "abcde"}


@pytest.mark.parametrize(
    ("mine", "theirs", "message"),
    [
        (SIZES, {"a.png": (4, 4)}, r"4 of 5 images of .*x \(b, c, d, ...\) have no partner in .*y: "),
        ({"a.png": (4, 4)}, SIZES, r"4 of 5 images of .*y \(b, c, d, ...\) have no partner in .*x: "),
        (SIZES, SIZES | {"b.png": (4, 9)}, r"1 of 5 pairs of .*x and .*y differ in size \(b 4x4 and 9x4\): crop"),
    ],
)
def test_bad_pairs_are_told_in_one_line_with_three_names(tmp_path, mine, theirs, message):
    sides = [opened(draw(tmp_path / name, sizes), tmp_path) for name, sizes in (("x", mine), ("y", theirs))]
    with pytest.raises(BadInput, match=message) as error:
        check_pairs(*sides)
    assert "\n" not in str(error.value)


def test_files_of_one_name_and_folders_without_images_are_refused(tmp_path):
    with pytest.raises(BadInput, match=r"two images of one name, a.bmp and a.png: keep one"):
        opened(draw(tmp_path / "two", {"a.png": (4, 4), "a.bmp": (4, 4)}), tmp_path)
    (tmp_path / "none").mkdir()
    with pytest.raises(BadInput, match="none holds no images"):
        opened(tmp_path / "none", tmp_path)
    np.savez(tmp_path / "none.npz", images=np.zeros((0, 4, 4, 3), np.uint8))
    with pytest.raises(BadInput, match="holds 0 images"):
        opened(tmp_path / "none.npz", tmp_path)
