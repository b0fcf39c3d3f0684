"""Sounds in folders and archives: splits, classes, round trips, and one line for everything that is wrong."""

import tarfile

import numpy as np
import pytest
import soundfile

from gan_jax.data import absolute_name, open_source
from gan_jax.data.modality import audio
from gan_jax.data.source import describe_source, read_batch
from gan_jax.errors import BadInput

HUM = np.sin(np.arange(1, 101) / 5)


@pytest.fixture
def record(tmp_path):
    """Writes sounds: `record({"train/cat/1.wav": samples})` returns the folder."""

    def write(files, rate=8000, folder="set", **how):
        for name, samples in files.items():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, samples, rate, **how)
        return tmp_path / folder

    return write


def everything(source):
    return {name: np.asarray(leaf) for name, leaf in read_batch(source, np.arange(source.size)).items()}


def refused(name, says):
    with pytest.raises(BadInput, match=says) as error:
        everything(open_source(name))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("ending", ["wav", "flac", "WAV"])
def test_sounds_are_read_from_files(record, ending):
    folder = record({f"a/1.{ending}": HUM, f"b/2.{ending}": 0.01 * HUM[:50]})
    source = open_source(f"audio=100:{folder}")
    assert source.shape == (100,) and source.spec["x"].modality is audio(8000) and source.classes == ("a", "b")
    found = everything(source)
    assert found["y"].tolist() == [0, 1]
    np.testing.assert_allclose(found["x"][0], HUM / np.abs(HUM).max(), atol=1e-4)
    start = np.flatnonzero(found["x"][1])[0]
    np.testing.assert_allclose(
        found["x"][1, start : start + 50], HUM[:50] / HUM[:50].max(), atol=5e-3
    )  # 16 bits, quiet


def test_windows_have_4096_samples_by_default(record):
    folder = record({"1.wav": HUM})
    (folder / "notes.txt").write_text("these are sounds")
    source = open_source(f"audio:{folder}")
    said = "1 sounds of 4,096 samples at 8,000 Hz, no labels; left out 1: 1 not sounds (.txt)"
    assert describe_source(source) == f"set: {said}"


def test_splits_are_folders(record):
    folder = record({"train/a/1.wav": HUM, "train/b/1.wav": HUM, "test/a/2.wav": HUM, "test/b/3.wav": HUM[:60]})
    sources = [open_source(f"audio:{folder}", split=split) for split in ("train", "test")]
    assert [source.split for source in sources] == ["train", "test"] and sources[0].classes == ("a", "b")
    assert "split test of test, train" in describe_source(sources[1])
    with pytest.raises(BadInput, match="no folder 'val'"):
        open_source(f"audio:{folder}", split="val")


def test_archives_hold_the_same_examples(record, tmp_path):
    folder = record({"train/a/1.wav": HUM, "train/b/1.flac": HUM[:50], "test/a/2.wav": HUM, "test/b/2.wav": HUM})
    with tarfile.open(tmp_path / "set.tar.gz", "w:gz") as archive:
        archive.add(folder, "set")
    expected = everything(open_source(f"audio:{folder}"))
    for name in ("set.tar.gz", "set.tar.gz", "set.tar.gz/set/train"):  # the second from the cache
        source = open_source(f"audio:{tmp_path / name}")
        assert source.spec["x"].modality is audio(8000) and source.classes == ("a", "b")
        for array, values in everything(source).items():
            np.testing.assert_array_equal(values, expected[array])


def test_a_number_selects_examples_of_every_class(record):
    folder = record({f"{name}/{i}.wav": HUM for name in "ab" for i in range(4)})
    assert everything(open_source(f"audio:{folder}:4"))["y"].tolist() == [0, 0, 1, 1]


def test_names_mean_the_same_in_any_folder(record, monkeypatch):
    folder = record({"1.wav": HUM})
    monkeypatch.chdir(folder.parent)
    assert absolute_name("audio=64:set") == f"audio=64:{folder}"
    assert absolute_name("audio:set:10") == f"audio:{folder}:10"


def test_stereo_files_are_refused(record):
    refused(f"audio:{record({'1.wav': HUM, '2.wav': np.stack([HUM, HUM], axis=1)})}", r"2\.wav has 2 channels: .*mono")


def test_two_rates_are_refused(record):
    record({"1.wav": HUM})
    refused(f"audio:{record({'2.wav': HUM}, rate=16000)}", r"2\.wav has 16,000 Hz, 1\.wav 8,000 Hz: resample")


def test_empty_and_silent_files_are_refused(record):
    refused(f"audio:{record({'1.wav': HUM[:0]}, folder='empty')}", r"1\.wav is empty: leave it out")
    refused(f"audio:{record({'1.wav': 0 * HUM}, folder='silent')}", r"1\.wav is silent: leave it out")
    loud = np.array([1, np.inf, 0], np.float32)
    refused(f"audio:{record({'1.wav': loud}, folder='inf', subtype='FLOAT')}", r"1\.wav has values that are not finite")


@pytest.mark.parametrize("kept", [0, 30, 5000])
def test_damaged_files_are_refused(record, kept):
    folder = record({"1.flac": np.random.default_rng(0).uniform(-1, 1, 9000)})
    content = (folder / "1.flac").read_bytes()
    (folder / "1.flac").write_bytes(content[:kept])
    refused(f"audio:{folder}", r"1\.flac cannot be read as a sound")


def test_other_files_are_no_sounds(record, tmp_path):
    folder = record({"1.wav": HUM})
    (folder / "1.wav").write_text("not a sound")
    refused(f"audio:{folder}", r"1\.wav cannot be read as a sound")
    (folder / "1.wav").rename(folder / "1.txt")
    refused(f"audio:{folder}", r"has no sounds \(left out 1: 1 not sounds \(\.txt\)\): give a folder")
    refused(f"audio:{tmp_path / 'absent'}", "absent holds no sounds: give a folder or archive")
    refused(f"audio:{folder / '1.txt'}", "1.txt holds no sounds: give a folder or archive")


def test_flags_for_images_are_refused(record):
    folder = record({"1.wav": HUM})
    for flags, says in [
        ({"size": 8}, "--image-size is for images"),
        ({"data_dir": folder}, "--data-dir is for TFDS"),
        ({"pair": "a,b"}, "--pair a,b is for files and TFDS"),
        ({"tile": 8}, "--tile 8 is for files and TFDS"),
    ]:
        with pytest.raises(BadInput, match=says):
            open_source(f"audio:{folder}", **flags)
