import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from image_files import png
from PIL import Image

from gan_jax.data import archive_source, folder_source, open_source
from gan_jax.data.source import describe_source
from gan_jax.data.sources import decoding
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
    assert (source.name, source.size, source.shape) == ("set", 4, (4, 6, 3))
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
    assert (source.name, source.size, source.shape) == ("set", 4, (4, 6, 3)) and source.classes == ("ape", "cat", "dog")
    assert values(source) == [20, 10, 11, 30] and labels(source) == [0, 1, 1, 2]


def test_archive_is_cached_until_it_changes(draw, cache):
    archive = pack(draw({"1.png": 1}), "zip")
    assert values(archive_source(archive)) == values(archive_source(archive)) == [1]
    assert len(list((cache / "arrays").iterdir())) == 1
    archive = pack(draw({"1.png": 2, "2.png": 3}), "zip")
    assert values(archive_source(archive)) == [2, 3]


def test_archive_decoded_by_an_earlier_version_is_decoded_again(draw, monkeypatch):
    archive = pack(draw({"1.png": 1}), "zip")
    with monkeypatch.context() as before:
        before.setattr(decoding, "VERSION", decoding.VERSION - 1)
        before.setattr(decoding, "decode", lambda *_: np.full((4, 6, 3), 99, np.uint8))
        assert values(archive_source(archive)) == [99]
    assert values(archive_source(archive)) == [1]


@pytest.mark.parametrize("kind", [None, "zip"])
def test_report_counts_examples_and_the_files_left_out(draw, kind):
    folder = draw({"Train/cat/1.png": 1, "Train/dog/2.png": 2, "Test/cat/3.png": 3, "more/4.png": 4, ".old/5.png": 5})
    (folder / "notes.txt").write_text("not an image")
    Image.new("I;16", (6, 4)).save(folder / "Train" / "cat" / "deep.png")
    black = Image.new("RGB", (6, 4))
    black.save(
        folder / "Train" / "cat" / "moving.gif", save_all=True, append_images=[Image.new("RGB", (6, 4), "white")]
    )
    path = str(folder) if kind is None else pack(folder, kind)
    for _ in range(2):  # an archive is cached after the first time
        assert describe_source(open_source(path)) == (
            "set: 4 color images of 6x4, 2 classes; split Train of Test, Train; 1 with 16 bits, read as v >> 8; "
            "1 with several pages or frames, of which the first is read; "
            "left out 3: 1 hidden, 1 not images (.txt), 1 beside the splits, in more"
        )


def test_every_real_folder_is_visited_once_whatever_links_to_it(draw, tmp_path):
    folder = draw({"cat/1.png": 1, "dog/2.png": 2})
    draw({"3.png": 3}, folder="elsewhere")
    (folder / "all").symlink_to(folder)
    (folder / "ape").symlink_to(folder / "cat")  # sorted before the real folder
    (folder / "cat" / "up").symlink_to("..")
    (folder / "dog" / "back").symlink_to(folder / "cat")
    (folder / "fox").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "again").symlink_to(folder / "fox")
    source = folder_source(folder)
    assert values(source) == [1, 2, 3] and source.classes == ("cat", "dog", "fox")
    assert "left out 5: 5 as a link to a folder read already" in source.report


def test_unreadable_folders_are_counted(draw, monkeypatch):
    folder = draw({"cat/1.png": 1, "dog/2.png": 2})
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("dog"):
            raise PermissionError(path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    source = folder_source(folder)
    assert values(source) == [1] and "1 as an unreadable folder" in source.report


def test_backslashes_in_zip_names_are_folders(tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("train\\", b"")
        for name in ("train\\cat\\1.png", "train\\dog/2.png", "test\\cat\\3.png"):
            archive.writestr(name, png(np.full((4, 6, 3), int(name[-5]), np.uint8)))
    source = archive_source(tmp_path / "set.zip")
    assert values(source) == [1, 2] and source.classes == ("cat", "dog")


def test_links_in_a_tar_are_counted(draw, tmp_path):
    folder = draw({"cat/1.png": 1, "dog/2.png": 2})
    (folder / "cat" / "3.png").symlink_to("1.png")
    assert "left out 1: 1 as a link or device in the archive" in archive_source(pack(folder, "tar")).report


@pytest.mark.medium
def test_run_inside_its_data_is_left_out(draw, shared_run):
    folder = draw({"1.png": 1, "2.png": 2})
    shutil.copytree(shared_run, folder / "runs" / "one")
    source = folder_source(folder)
    assert values(source) == [1, 2] and "from runs" in source.report
    with pytest.raises(BadInput, match=r"has no images \(left out .* from runs\)"):
        folder_source(folder / "runs")


def test_split_folders_are_distinguished_from_class_folders(draw):
    split = draw({"train/cat/1.png": 1, "train/dog/1.png": 2, "test/cat/1.png": 3, "test/dog/1.png": 4}, folder="a")
    assert values(folder_source(split)) == [1, 2] and folder_source(split).classes == ("cat", "dog")
    assert values(folder_source(split, split="test")) == [3, 4]
    wrapped = draw({"data/train/1.png": 1, "data/train/2.png": 2, "data/val/1.png": 3}, folder="b")
    assert values(folder_source(wrapped)) == [1, 2] and folder_source(wrapped).classes == ()
    vehicles = draw({"train/car/1.png": 1, "train/train/1.png": 2}, folder="c")
    assert folder_source(vehicles).classes == ("car", "train")
    with pytest.raises(BadInput, match="'test'"):
        folder_source(vehicles, split="test")


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("1", 1), ("RGB", 3), ("P", 3), ("RGBA", 3), ("CMYK", 3)])
def test_images_of_one_mode_are_gray_or_in_color(draw, mode, channels):
    source = folder_source(draw({"1.tif": 255, "2.tif": 255}, mode=mode))
    assert source.shape == (4, 6, channels)
    assert values(source) == [255, 255]


@pytest.mark.parametrize("colored", ["1.png", "2.png", "3.png"])
@pytest.mark.parametrize("size", [None, 4])
def test_one_image_in_color_makes_all_color(draw, colored, size):
    draw({f"{i}.png": 60 * i for i in (1, 2, 3)}, mode="L")
    source = folder_source(draw({colored: 9}), size)
    assert source.shape == (4, size or 6, 3)
    assert values(source) == [9 if name == colored else 60 * i for i, name in enumerate(("1.png", "2.png", "3.png"), 1)]


def test_source_names_the_split_that_was_read(draw):
    folder = draw({"Training/1.png": 0, "valid/1.png": 1})
    archive = pack(folder, "zip")
    for asked, read in (("train", "train"), ("valid", "val"), ("test", "val")):
        decoded, from_cache = (archive_source(archive, split=asked) for _ in range(2))
        assert folder_source(folder, split=asked).split == decoded.split == from_cache.split == read
    assert folder_source(draw({"cat/1.png": 0}, folder="classes")).split == ""


def test_color_in_one_split_makes_all_splits_color(draw):
    draw({"train/1.png": 1, "test/2.png": 2}, mode="L")
    folder = draw({"test/3.png": 3})
    assert folder_source(folder).shape == folder_source(folder, split="test").shape == (4, 6, 3)


def test_names_that_are_not_utf_8_are_read(draw):
    folder = draw({"cat/1.png": 1, "dog/2.png": 2, "test/3.png": 3, "train/4.png": 4})
    odd = os.fsdecode(b"caf\xe9")
    try:
        (folder / "cat").rename(folder / odd)
    except OSError:
        pytest.skip("this disk has names in UTF-8 only")
    assert values(folder_source(folder, split=odd)) == [1]
    assert odd in folder_source(folder).report
    shutil.rmtree(folder / "test")
    shutil.rmtree(folder / "train")
    (folder / "dog" / "2.png").rename(folder / "dog" / os.fsdecode(b"\xff.png"))
    assert values(folder_source(folder)) == [1, 2] and folder_source(folder).classes == (odd, "dog")


def test_sizes_are_compared_after_the_exif_rotation(draw):
    folder = draw({"a.png": 1})
    turned = Image.Exif()
    turned[274] = 6
    Image.new("RGB", (4, 6), (2, 2, 2)).save(folder / "b.png", exif=turned)
    assert values(folder_source(folder)) == [1, 2]
    Image.new("RGB", (6, 4)).save(folder / "c.png", exif=turned)
    with pytest.raises(BadInput, match=r"c\.png is 4x6, a\.png 6x4"):
        folder_source(folder)


def test_rotation_found_only_when_decoding_never_shears_an_image(draw):
    folder = draw({"a.png": 1})
    turned = Image.Exif()
    turned[274] = 6
    late = [(b"eXIf", turned.tobytes().removeprefix(b"Exif\0\0"))]
    (folder / "b.png").write_bytes(png(np.full((4, 6, 3), 2, np.uint8), after=late))
    with pytest.raises(BadInput, match=r"b\.png is 4x6 when decoded, the others 6x4"):
        values(folder_source(folder))
    assert values(folder_source(folder, 4)) == [1, 2]


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
    assert (source.name, source.size, source.shape) == ("cifar10_jpg", 50_000, (32, 32, 3))
    assert source.classes[0] == "airplane" and len(source.classes) == 10
    everything = source.read(np.arange(50_000))
    assert np.bincount(everything["y"]).tolist() == [5000] * 10
    np.testing.assert_allclose(everything["x"].mean((0, 1, 2)), [125.3, 123.0, 113.9], atol=1)  # as published
