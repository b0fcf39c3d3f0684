"""Videos from training to files: film strips, animations, arrays that are data again, scores."""

import json

import numpy as np
import pytest
import tiny
from commands import command
from PIL import Image

from gan_jax.data import open_source

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Trains a tiny GAN of videos for two steps."""
    from gan_jax.cli.main import main

    folder = tmp_path_factory.mktemp("runs") / "video"
    with pytest.raises(SystemExit) as done:
        main(["train", tiny.__file__, "--data", "moving:mnist5k:80", "--images", "16", "--run-dir", str(folder)])
    assert not done.value.code
    return folder


def test_preview_is_a_film_strip_per_sample(capfd, run, tmp_path):
    preview = run / "samples" / "0000000016.png"
    assert Image.open(preview).size == (8 * 34 + 2, 6 * 34 + 2)
    assert command(capfd, "sample", run, "--out", tmp_path / "strips.png")[0] == 0
    assert (tmp_path / "strips.png").read_bytes() == preview.read_bytes()


def test_animation_plays_all_samples_at_once(capfd, run, tmp_path):
    for flags, (rows, cols) in (((), (2, 3)), (("--n", 2, "--interpolate", 4), (2, 4))):
        assert command(capfd, "sample", run, *flags, "--out", tmp_path / "a.gif")[0] == 0
        with Image.open(tmp_path / "a.gif") as gif:
            assert gif.size == (cols * 34 + 2, rows * 34 + 2) and gif.n_frames == 16


def test_arrays_are_videos_that_open_as_data(capfd, run, tmp_path):
    assert command(capfd, "sample", run, "--n", 5, "--out", tmp_path / "a.npz")[0] == 0
    video = np.load(tmp_path / "a.npz")["video"]
    assert video.shape == (5, 16, 32, 32, 1) and video.dtype == np.uint8
    np.testing.assert_array_equal(open_source(f"video:{tmp_path}/a.npz").read(np.arange(5))["x"], video)


def test_scores_of_a_run_are_those_of_its_samples_in_a_file(capfd, run, tmp_path):
    found = {}
    assert command(capfd, "sample", run, "--n", 70, "--seed", 0, "--out", tmp_path / "x.npz")[0] == 0
    for name, argv in (("run", [run]), ("file", [tmp_path / "x.npz", "moving:mnist5k:80"])):
        out = tmp_path / f"{name}.json"
        code, _, error = command(
            capfd, "evaluate", *argv, "--metrics", "fid,modes,motion", "--samples", 70, "--out", out
        )
        assert code == 0, error
        found[name] = json.loads(out.read_text())
    protocol = found["run"]["fid"]["protocol"]
    assert protocol["features"]["name"] == "moving_digits" and protocol["video"] == [16, 32, 32, 1]
    assert found["run"]["fid"]["fid"] == pytest.approx(found["file"]["fid"]["fid"], rel=1e-5)
    assert found["run"]["motion"]["speed_real"] == found["file"]["motion"]["speed_real"] > 1
    assert (tmp_path / "run" / "neighbors.png").exists()


def test_metrics_and_networks_of_images_are_refused_in_one_line(capfd, run, tmp_path):
    for flags, words in (
        (("--metrics", "ms_ssim"), "ms_ssim: this metric is for image data, not for video"),
        (("--features", "mnist"), "the feature network mnist is for images, not for video"),
    ):
        code, _, error = command(capfd, "evaluate", run, *flags, "--samples", 5)
        assert code == 2 and words in error and len(error.splitlines()) == 1
    flags = ("--evaluate", "ms_ssim", "--evaluate-samples", 20, "--run-dir", tmp_path / "b")
    code, _, error = command(capfd, "train", tiny.__file__, "--data", "moving:mnist5k:80", *flags)
    assert code == 2 and "ms_ssim: this metric is for image data, not for video" in error
