"""Runs of SpecGAN, whose samples are decoded by statistics of data that may be gone."""

import numpy as np
import pytest
import soundfile
from commands import command

pytestmark = pytest.mark.slow

FLAGS = ("--conditional", "--width", "1", "--batch-size", "8", "--log-every", "1", "--checkpoint-every", "2")


@pytest.fixture
def data(tmp_path):
    """Writes 20 sounds of two classes."""
    x = np.random.default_rng(0).normal(size=(20, 64)).astype(np.float32)
    np.savez(tmp_path / "noise.npz", audio=x, y=np.arange(20) % 2, rate=8000)
    return tmp_path / "noise.npz"


@pytest.fixture
def train(data, tmp_path, capfd):
    """Returns `train(name, steps)`, which gives the digest of the last state."""

    def run(name, steps):
        flags = ("--data", f"audio=64:{data}", *FLAGS, "--images", 8 * steps, "--schedule-images", 32)
        code, out, errors = command(capfd, "train", "specgan", *flags, "--run-dir", tmp_path / name)
        assert code == 0, errors
        return next(line.split()[1] for line in out.splitlines() if line.startswith("digest"))

    return run


def test_runs_are_resumed_exactly_reproduced_and_sampled_without_their_data(train, data, tmp_path, capfd):
    train("a", 2)
    assert train("a", 4) == train("b", 4)
    assert command(capfd, "reproduce", tmp_path / "a")[0] == 0
    data.unlink()
    wav = tmp_path / "x.wav"
    assert command(capfd, "sample", tmp_path / "a", "--labels", "1", "--n", "2", "--out", wav) == (0, f"{wav}\n", "")
    sounds, rate = soundfile.read(wav)
    assert rate == 8000 and np.abs(sounds).max() > 0 and len(sounds) == 2 * (64 + 2000)


def test_seeds_are_trained_in_one_program(data, tmp_path, capfd):
    flags = ("--data", f"audio=64:{data}", *FLAGS, "--images", "16", "--seeds", "2", "--run-dir", tmp_path / "sweep")
    code, _, errors = command(capfd, "sweep", "specgan", *flags)
    assert code == 0, errors
