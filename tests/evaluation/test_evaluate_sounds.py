"""`gan-jax evaluate` of sounds: a run, its samples in a file, recordings in a folder; scores while it trains."""

import json

import numpy as np
import pytest
import tiny_sounds
from commands import command

from gan_jax.runs.run_dir import RunDir
from gan_jax.viz.sounds import save_wav

pytestmark = pytest.mark.slow

METRICS = "fid,is,modes,label_accuracy,memorized,discriminator"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Trains a tiny GAN of sounds for two steps, with scores."""
    from gan_jax.cli.main import main

    folder = tmp_path_factory.mktemp("runs") / "sounds"
    flags = ["--data", "tones:500", "--evaluate", "fid", "--evaluate-samples", "100", "--run-dir", str(folder)]
    with pytest.raises(SystemExit) as done:
        main(["train", tiny_sounds.__file__, *flags])
    assert not done.value.code
    return folder


def scores(capfd, *argv, out):
    code, _, errors = command(capfd, "evaluate", *argv, "--samples", 100, "--out", out)
    assert code == 0, errors
    return json.loads(out.read_text())


def test_a_run_and_its_samples_in_a_file_have_the_scores_logged_in_training(capfd, run, tmp_path):
    direct = scores(capfd, run, "--metrics", METRICS.replace(",discriminator", ""), out=tmp_path / "run.json")
    logged = [record["fid"] for record in RunDir(run).records() if "fid" in record]
    assert direct["fid"]["fid"] == pytest.approx(logged[-1], rel=1e-6)
    protocol = direct["memorized"]["protocol"]
    assert (protocol["audio"], protocol["quantization"], protocol["space"]) == ([4096], "int16", "features")
    assert protocol["features"]["name"] == "tones" and direct["modes"]["modes"] >= 1
    assert (tmp_path / "run" / "neighbors.png").exists()
    assert command(capfd, "sample", run, "--n", 100, "--seed", 0, "--out", tmp_path / "x.npz")[0] == 0
    stored = scores(capfd, tmp_path / "x.npz", "tones:500", "--metrics", "fid,label_accuracy", out=tmp_path / "x.json")
    assert np.isfinite(stored["fid"]["fid"]) and 0 <= stored["label_accuracy"]["label_accuracy"] <= 1


def test_recordings_in_a_folder_are_scored(capfd, tmp_path):
    t, random = np.arange(4096, dtype=np.float32) / 8000, np.random.default_rng(0)
    for i in range(70):
        sound = np.sin(2 * np.pi * random.uniform(400, 800) * t).astype(np.float32)
        save_wav(tmp_path / "hums" / f"{i}.wav", sound, 8000)
    found = scores(capfd, f"audio:{tmp_path}/hums", "tones", "--metrics", "fid,modes", out=tmp_path / "s.json")
    assert found["modes"]["modes"] < 4 and found["fid"]["protocol"]["samples"] == 70


def test_mistakes_are_told_in_one_line(capfd, run, tmp_path):
    np.savez(tmp_path / "slow.npz", audio=np.zeros((9, 4096), np.float32), rate=4000)
    for argv, complaint in (
        ([run, "--metrics", "ms_ssim"], "ms_ssim: this metric is for image data, not for audio: leave it out"),
        ([run, "--features", "mnist"], "the feature network mnist is for images, not for audio at 8,000 Hz: choose"),
        ([run, "--metrics", "psnr"], "psnr compares images with their targets"),
        ([tmp_path / "slow.npz", "tones"], "audio at 4,000 Hz of 4096, tones audio at 8,000 Hz of 4096: compare"),
        ([tmp_path / "slow.npz", "tones", "--metrics", "psnr"], "slow.npz holds sounds of 4,096 samples at 4,000 Hz"),
        ([f"audio:{tmp_path}/none", "tones"], "none"),
        ([run, "--metrics", "motion"], "motion: this metric is for video data, not for audio"),
    ):
        code, _, errors = command(capfd, "evaluate", *argv, "--samples", 20, "--out", tmp_path / "out.json")
        assert code == 2 and len(errors.splitlines()) == 1 and complaint in errors, (argv, errors)
        assert not (tmp_path / "out.json").exists()
