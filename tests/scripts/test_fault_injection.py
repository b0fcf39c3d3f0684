"""The fault injection script: a disturbed run ends like an undisturbed one, and differences are detected."""

import json
import os
import random
import shutil
import subprocess
import sys

import pytest

from scripts import load_script

harness = load_script("fault_injection")


@pytest.mark.slow
def test_run_survives_three_disturbances(tmp_path):
    flags = ["--times", "3", "--seed", "2", "--images", "6400", "--dir", str(tmp_path / "runs")]
    env = os.environ | {"XLA_FLAGS": "--xla_backend_optimization_level=1"}
    env["GAN_JAX_CACHE"] = str(tmp_path / "cache")  # written while processes are killed
    env.pop("JAX_COMPILATION_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, harness.__file__, *flags], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 differences" in done.stdout


@pytest.fixture
def run(tmp_path):
    """Writes the files of a run with two checkpoints that the script compares."""
    folder = tmp_path / "run"
    (folder / "samples").mkdir(parents=True)
    (folder / "samples" / "0000000008.png").write_bytes(b"picture")
    digests = [{"step": step, "images": 8 * step, "digest": f"{step}", "leaves": {}} for step in (1, 2)]
    records = [{"step": step, "images": 8 * step, "seconds": 0.1, "d/loss": 1.0} for step in (1, 2)]
    finding = {"symptom": "oscillation", "since": 8, "until": None}
    for name, lines in (("digests", digests), ("metrics", records), ("health", [finding])):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (lambda folder: None, []),
        (lambda folder: edit(folder, "metrics", '"seconds": 0.1', '"seconds": 0.2'), []),
        (lambda folder: edit(folder, "digests", '"digest": "2"', '"digest": "3"'), ["the state at step 2"]),
        (lambda folder: edit(folder, "metrics", '"d/loss": 1.0', '"d/loss": 1.5'), ["logged numbers"]),
        (lambda folder: edit(folder, "health", "8", "16"), ["findings of the monitors"]),
        (lambda folder: edit(folder, "metrics", '"step": 2', '"step": 1'), ["logged steps: [1, 1], not [1, 2]"]),
        (lambda folder: (folder / "samples" / "0000000008.png").unlink(), ["pictures"]),
    ],
)
def test_differences_between_runs_are_detected(run, harm, expected):
    there = harness.account(run)
    harm(run)
    assert harness.differences(there, harness.account(run)) == expected


def edit(folder, name, old, new):
    file = folder / f"{name}.jsonl"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def test_tearing_damages_the_newest_checkpoint(tmp_path, monkeypatch):
    """The newest of two, never the only one."""
    monkeypatch.setattr(harness, "signaled", lambda number: lambda *_: (-9, "", {-9}))
    whole = tmp_path / "whole"
    for step in (1, 2):
        (whole / "checkpoints" / str(step)).mkdir(parents=True)
        (whole / "checkpoints" / str(step) / "seal").write_text("the seal")
    harness.torn(None, whole, random.Random(0), 1.0)
    sizes = [len((whole / "checkpoints" / str(step) / "seal").read_text()) for step in (1, 2)]
    assert sizes[0] == 8 > sizes[1]
    shutil.rmtree(whole / "checkpoints" / "1")
    before = (whole / "checkpoints" / "2" / "seal").read_text()
    harness.torn(None, whole, random.Random(0), 1.0)
    assert (whole / "checkpoints" / "2" / "seal").read_text() == before


@pytest.mark.parametrize(
    ("errors", "clear"),
    [
        ("gan-jax: the disk is full", True),
        ("data        mnist5k: 5,000 gray images\ngan-jax: full", True),
        ("compiling, 10 s so far\n640 of 9,600 images  99/s  loss 1  7 s left\ngan-jax: full", True),
        ("gan-jax: the disk is full\ngan-jax: again", False),
        ("Traceback (most recent call last):\ngan-jax: the disk is full", False),
    ],
)
def test_an_error_is_one_line_beside_progress(errors, clear):
    assert harness.one_line(errors) is clear
