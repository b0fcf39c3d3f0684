import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_jax.data import archive_source, folder_source, open_source
from gan_jax.errors import BadInput

ANIMALS = {"cat/1.png": 10, "cat/2.png": 11, "ape/9.png": 20, "dog/deep/3.png": 30}


def pack(folder, kind):
    return shutil.make_archive(str(folder), kind, folder)


def values(source):
    """Returns the byte of each one-colored image."""
    x = source.read(np.arange(source.size))["x"]
    assert x.dtype == np.uint8 and x.shape == (source.size, *source.shape)
    assert (x == x[:, :1, :1, :1]).all()
    return x[:, 0, 0, 0].tolist()


def labels(source):
    return source.read(np.arange(source.size))["y"].tolist()


def test_labels_number_class_folders_in_sorted_order(draw):
    source = folder_source(draw(ANIMALS))
    assert source[:3] == ("set", 4, (4, 6, 3))
    assert source.classes == ("ape", "cat", "dog")
    assert values(source) == [20, 10, 11, 30]
    assert labels(source) == [0, 1, 1, 2]


def test_flat_folder_has_no_labels(draw):
    source = folder_source(draw({"b.png": 2, "a.png": 1}))
    assert values(source) == [1, 2]
    assert source.classes == () and source.read(np.array([0])).keys() == {"x"}


def test_other_files_are_ignored(draw):
    folder = draw({"cat/1.png": 1, "dog/1.png": 2, ".trash/1.png": 3, "__MACOSX/cat/1.png": 4, "cat/._1.png": 5})
    (folder / "README.txt").write_text("not an image")
    assert values(folder_source(folder)) == [1, 2]


@pytest.mark.parametrize("kind", ["tar", "gztar", "zip"])
def test_archive_reads_like_its_folder(draw, kind):
    source = archive_source(pack(draw(ANIMALS), kind))
    assert source[:3] == ("set", 4, (4, 6, 3)) and source.classes == ("ape", "cat", "dog")
    assert values(source) == [20, 10, 11, 30] and labels(source) == [0, 1, 1, 2]


def test_archive_is_cached_until_it_changes(draw, cache):
    archive = pack(draw({"1.png": 1}), "zip")
    assert values(archive_source(archive)) == values(archive_source(archive)) == [1]
    assert len(list((cache / "arrays").iterdir())) == 1
    archive = pack(draw({"1.png": 2, "2.png": 3}), "zip")
    assert values(archive_source(archive)) == [2, 3]


def test_split_folders_are_distinguished_from_class_folders(draw):
    split = draw({"train/cat/1.png": 1, "train/dog/1.png": 2, "test/cat/1.png": 3, "test/dog/1.png": 4}, folder="a")
    assert values(folder_source(split)) == [1, 2] and folder_source(split).classes == ("cat", "dog")
    assert values(folder_source(split, split="test")) == [3, 4]
    wrapped = draw({"data/train/1.png": 1, "data/train/2.png": 2, "data/val/1.png": 3}, folder="b")
    assert values(folder_source(wrapped)) == [1, 2] and folder_source(wrapped).classes == ()
    vehicles = draw({"car/1.png": 1, "train/1.png": 2}, folder="c")
    assert folder_source(vehicles).classes == ("car", "train")
    with pytest.raises(BadInput, match="'test'"):
        folder_source(vehicles, split="test")


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("1", 1), ("RGB", 3), ("P", 3), ("RGBA", 3)])
def test_first_image_decides_the_channels(draw, mode, channels):
    draw({"1.png": 255}, mode=mode)
    assert folder_source(draw({"2.png": 255})).shape == (4, 6, channels)
    assert values(folder_source(draw({}))) == [255, 255]


def test_size_crops_the_center_and_resizes(draw, tmp_path):
    pixels = np.zeros((8, 24, 3), np.uint8)
    pixels[:, 4:20] = 200
    (tmp_path / "set").mkdir()
    Image.fromarray(pixels).save(tmp_path / "set" / "wide.png")
    source = folder_source(draw({"tall.png": 100}, size=(3, 9)), size=4)
    assert source.shape == (4, 4, 3)
    assert values(source) == [100, 200]


def test_mixed_sizes_are_refused_with_the_file(draw):
    draw({"a.png": 1})
    with pytest.raises(BadInput, match=r"set/b\.png is 5x4, a\.png 6x4: resize all to one size"):
        folder_source(draw({"b.png": 1}, size=(5, 4)))


@pytest.mark.parametrize("kind", [None, "gztar", "zip"])
def test_corrupt_image_is_named(draw, kind, cache):
    folder = draw({"cat/1.png": 1, "cat/2.png": 2, "dog/1.png": 3})
    (folder / "cat" / "2.png").write_bytes(b"not an image")
    with pytest.raises(BadInput, match=r"cat/2\.png cannot be read as an image"):
        open_source(str(folder) if kind is None else pack(folder, kind))
    assert not cache.exists() or not list((cache / "arrays").iterdir())


def test_truncated_image_is_named_when_read(draw):
    folder = draw({"1.png": 1, "2.png": 2}, size=(60, 40))
    (folder / "2.png").write_bytes((folder / "2.png").read_bytes()[:-40])
    source = folder_source(folder)
    source.read(np.array([0]))
    with pytest.raises(BadInput, match=r"2\.png"):
        source.read(np.array([0, 1]))


@pytest.mark.parametrize("kind", ["tar", "gztar", "zip"])
def test_truncated_archive_is_refused(draw, kind):
    archive = Path(pack(draw({f"{i}.png": i for i in range(30)}), kind))
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="cannot be"):
        archive_source(archive)


def test_missing_images_give_one_line_errors(draw, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("no archive")
    mixed = draw({"cat/1.png": 1, "2.png": 1}, folder="mixed")
    for path, says in [
        (tmp_path / "empty", "has no images"),
        (tmp_path / "absent", "does not exist"),
        (tmp_path / "absent.tar.gz", "does not exist"),
        (tmp_path / "text.txt", "not an archive"),
        (mixed, "beside them"),
    ]:
        with pytest.raises(BadInput, match=says) as error:
            open_source(str(path))
        assert "\n" not in str(error.value)
    with pytest.raises(BadInput, match="at least 1"):
        open_source(str(mixed.parent / "mixed" / "cat"), size=0)


@pytest.mark.slow
def test_cifar10_jpeg_archive_has_the_published_means(test_data):
    source = open_source(str(test_data("cifar10-jpg.tar.gz")))
    assert source[:3] == ("cifar10_jpg", 50_000, (32, 32, 3))
    assert source.classes[0] == "airplane" and len(source.classes) == 10
    everything = source.read(np.arange(50_000))
    assert np.bincount(everything["y"]).tolist() == [5000] * 10
    np.testing.assert_allclose(everything["x"].mean((0, 1, 2)), [125.3, 123.0, 113.9], atol=1)  # as published
