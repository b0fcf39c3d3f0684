"""Sounds in `.npz` files."""

import numpy as np
import pytest

from gan_jax.data import open_source
from gan_jax.data.modality import audio
from gan_jax.data.source import describe_source, read_batch
from gan_jax.errors import BadInput

NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, (6, 32))


@pytest.fixture
def save(tmp_path):
    """Writes arrays; returns the name of the data set."""

    def write(**arrays):
        np.savez(tmp_path / "sounds.npz", **arrays)
        return f"audio=32:{tmp_path / 'sounds.npz'}"

    return write


@pytest.mark.parametrize("labels", ["y", "labels"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int16])
def test_arrays_of_floats_and_of_int16_are_sounds(save, dtype, labels):
    x = (32767 * NOISE).astype(np.int16) if dtype is np.int16 else NOISE.astype(dtype)
    source = open_source(save(audio=x, rate=8000, **{labels: np.array([0, 1, 2, 0, 1, 2])}))
    assert describe_source(source) == "sounds: 6 sounds of 32 samples at 8,000 Hz, 3 classes"
    found = read_batch(source, np.arange(6))
    np.testing.assert_allclose(found["x"], NOISE / np.abs(NOISE).max(axis=1, keepdims=True), atol=2e-3)
    assert found["y"].tolist() == [0, 1, 2, 0, 1, 2] and source.spec["x"].modality is audio(8000)


def test_names_may_end_in_splits(save):
    halves = {"audio_train": NOISE[:4], "y_train": np.arange(4), "audio_test": NOISE[4:], "y_test": np.arange(2)}
    name = save(rate=np.int32(16000), **halves)
    train, test = open_source(name), open_source(name, split="test")
    assert (train.size, test.size) == (4, 2) and train.classes == test.classes == ("0", "1", "2", "3")
    assert test.report == "split test of train, test" and test.split == "test"
    with pytest.raises(BadInput, match="no split 'val', only train, test"):
        open_source(name, split="val")


def test_further_integers_are_labels_with_names(save):
    who = {"speaker": np.array([0, 1, 0, 1, 1, 0]), "speakers": np.array(["ann", "bob", "cy"]), "take": np.arange(6)}
    source = open_source(save(audio=NOISE, rate=8000, y=np.arange(6), silly=np.arange(-3, 3), **who))
    assert source.labels == {"speaker": ("ann", "bob", "cy"), "take": tuple("012345")}
    assert describe_source(source) == "sounds: 6 sounds of 32 samples at 8,000 Hz, 6 classes, 3 of speaker, 6 of take"
    found = read_batch(source, np.array([4, 0]))
    assert found["speaker"].tolist() == [1, 0] and found["take"].tolist() == [4, 0] and "silly" not in found
    assert source.spec["speaker"] == source.spec["y"]


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"audio": NOISE}, "has no rate: save"),
        ({"audio": NOISE, "rate": np.array([8000])}, "has no rate"),
        ({"audio": NOISE, "rate": 0}, "has no rate"),
        ({"audio": NOISE[0], "rate": 8000}, r"holds audio as float64 \[32\]: save sounds as floats or int16 \[N, T\]"),
        ({"audio": NOISE[..., None], "rate": 8000}, r"float64 \[6, 32, 1\]"),
        ({"audio": NOISE[:0], "rate": 8000}, r"float64 \[0, 32\]"),
        ({"audio": NOISE.astype(np.uint8), "rate": 8000}, r"uint8 \[6, 32\]"),
        ({"audio": 0 * NOISE, "rate": 8000}, r"sounds\.npz: audio\[0\] is silent"),
        ({"audio": NOISE, "rate": 8000, "y": np.arange(5)}, r"labels must be integers \[6\]"),
        ({"audio": NOISE, "rate": 8000, "y": np.arange(6) - 1}, "negative labels"),
        (
            {"audio": NOISE, "rate": 8000, "speaker": np.arange(6), "speakers": np.array(["a", "b"])},
            "has 2 speakers for 6 classes of speaker: name every class",
        ),
        ({"x": NOISE, "rate": 8000}, "no array audio, but x, rate: save the sounds as audio"),
    ],
)
def test_other_arrays_are_refused(save, arrays, says):
    with pytest.raises(BadInput, match=says) as error:
        open_source(save(**arrays))
    assert "\n" not in str(error.value)


def test_another_split_of_data_without_splits_is_refused(save):
    with pytest.raises(BadInput, match="no split 'test': save arrays as audio_train and audio_test"):
        open_source(save(audio=NOISE, rate=8000), split="test")


def test_damaged_files_are_refused(tmp_path):
    (tmp_path / "sounds.npz").write_bytes(b"not arrays")
    with pytest.raises(BadInput, match=r"sounds\.npz cannot be read as arrays"):
        open_source(f"audio:{tmp_path / 'sounds.npz'}")
