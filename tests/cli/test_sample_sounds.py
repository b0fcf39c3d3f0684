"""`gan-jax sample` for a game on sounds: spectrograms, arrays, and .wav files."""

import numpy as np
import pytest
import soundfile
import tiny_sounds
from commands import command
from PIL import Image

from gan_jax.cli.main import main

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Trains two steps."""
    folder = tmp_path_factory.mktemp("sounds") / "run"
    with pytest.raises(SystemExit) as done:
        main(["train", tiny_sounds.__file__, "--run-dir", str(folder)])
    assert not done.value.code
    return folder


@pytest.fixture
def written(run, capfd, tmp_path):
    """Returns `written(name, *flags)`, the path that `sample` writes."""

    def write(name, *flags):
        assert command(capfd, "sample", run, *flags, "--out", tmp_path / name) == (0, f"{tmp_path / name}\n", "")
        return tmp_path / name

    return write


def test_the_picture_is_the_last_preview(run, written):
    picture = written("grid.png")
    assert picture.read_bytes() == sorted((run / "samples").glob("*.png"))[-1].read_bytes()
    assert Image.open(picture).size == (4 * (65 + 2) + 2, 3 * (48 + 2) + 2)


def test_arrays_have_the_rate_and_files_the_same_sounds(written):
    arrays = np.load(written("s.npz", "--labels", "rise", "noise", "--n", 3))
    assert arrays["audio"].shape == (3, 4096) and arrays["audio"].dtype == np.float32
    assert arrays["rate"] == 8000 and arrays["labels"].tolist() == [1, 8, 1]
    joined, rate = soundfile.read(written("s.wav", "--labels", "rise", "noise", "--n", 3))
    np.testing.assert_allclose(joined.reshape(3, -1)[:, :4096], arrays["audio"], atol=6e-5)
    assert joined.size == 3 * (4096 + 2000) and rate == 8000
    folder = written("sounds", "--labels", "rise", "noise", "--n", 3)
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == ["0000_1.wav", "0001_8.wav", "0002_1.wav"]
    for file, sound in zip(files, arrays["audio"], strict=True):
        np.testing.assert_allclose(soundfile.read(file)[0], sound, atol=6e-5)


def test_samples_open_as_data(written):
    from gan_jax.data import open_source

    source = open_source(f"audio:{written('s.npz', '--n', 4)}")
    assert source.size == 4 and source.spec["x"].modality.rate == 8000


def test_rows_are_animated(written):
    assert Image.open(written("path.gif", "--n", 2, "--interpolate", 3)).n_frames == 3


def test_other_runs_make_no_sounds(shared_run, run, capfd, tmp_path):
    for name in ("x.wav", "folder"):
        code, _, errors = command(capfd, "sample", shared_run, "--out", tmp_path / name)
        assert code == 2 and "makes images: choose .png or .npz" in errors and not (tmp_path / name).exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").touch()
    code, _, errors = command(capfd, "sample", run, "--out", tmp_path / "full")
    assert code == 2 and "holds files already" in errors
