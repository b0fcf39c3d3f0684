"""The script that writes spoken digits as arrays."""

import sys

import numpy as np

from gan_jax.data import open_source
from gan_jax.data.source import read_batch
from scripts import load_script


def test_recordings_are_split_by_take_with_their_digits_and_speakers(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    lengths, takes = [5, 9, 7, 4], [0, 4, 5, 49]
    samples = random.integers(-32767, 32767, sum(lengths), np.int16)
    np.savez(
        tmp_path / "fsdd.npz",
        hi=(samples >> 8).astype(np.int8),
        lo=(samples & 255).astype(np.uint8),
        start=np.cumsum([0, *lengths]).astype(np.int32),
        digit=np.array([7, 1, 9, 0]),
        speaker=np.array([0, 1, 1, 0]),
        take=np.array(takes),
        speakers=np.array(["anna", "bert"]),
    )
    out = tmp_path / "audio.npz"
    monkeypatch.setattr(sys, "argv", ["fsdd.py", str(tmp_path / "fsdd.npz"), "--out", str(out)])
    load_script("fsdd").main()
    arrays, recordings = np.load(out), np.split(samples, np.cumsum(lengths)[:-1])
    for split, first in (("test", 0), ("train", 2)):
        assert arrays[f"speaker_{split}"].tolist() == [[0, 1], [1, 0]][first // 2]
        for row, recording in zip(arrays[f"audio_{split}"], recordings[first:], strict=False):
            np.testing.assert_array_equal(row, np.pad(recording, (0, 9 - len(recording))))
    train, test = (open_source(f"audio=16:{out}", split=split) for split in ("train", "test"))
    assert read_batch(train, np.arange(2))["y"].tolist() == [9, 0]
    assert read_batch(test, np.arange(2))["y"].tolist() == [7, 1]
    assert train.spec["x"].modality.rate == 8000 and len(train.classes) == 10
