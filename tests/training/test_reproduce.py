"""A run played again from its manifest: the same to the bit, or where it is not."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
import tiny

from gan_jax.cli.main import main
from gan_jax.data import from_arrays, open_source
from gan_jax.data.source import fingerprint
from gan_jax.runs.checkpoint import Checkpoints
from gan_jax.runs.digest import digest, digests
from gan_jax.runs.provenance import commit
from gan_jax.runs.run_dir import RunDir

TINY = Path(tiny.__file__)


def command(capfd, *argv):
    """The exit code of a command, what it printed, and what it said of mistakes."""
    capfd.readouterr()
    with pytest.raises(SystemExit) as done:
        main([*map(str, argv)])
    out, errors = capfd.readouterr()
    return done.value.code or 0, out, errors


@pytest.fixture
def trained(shared_run):
    return shared_run, TINY


def test_a_manifest_says_where_the_numbers_come_from(trained):
    run, _ = trained
    about = json.loads((run / "manifest.json").read_text())
    assert about["settings"]["images"] == 480, "it is never written again"
    assert about["settings"]["seed"] == 0 and about["machine"]["prng"] == "threefry2x32"
    assert about["machine"]["devices"] == len(jax.devices())
    assert {"device", "xla_flags", "matmul_precision"} <= about["machine"].keys()
    assert about["versions"]["jax"] == jax.__version__
    assert about["data"]["fingerprint"] == fingerprint(open_source("mnist5k"))
    [resume] = [json.loads(line) for line in (run / "resumes.jsonl").read_text().splitlines()]
    assert resume["settings"] == {"images": 800}
    assert RunDir(run).read().settings["images"] == 800


def test_a_deterministic_run_tells_xla_and_says_so(tmp_path):
    """In a process of its own: XLA reads its flags once."""
    flags = ["--images", "80", "--run-dir", str(tmp_path / "run"), "--deterministic"]
    subprocess.run([sys.executable, str(TINY), *flags], check=True, capture_output=True)
    about = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert about["settings"]["deterministic"] is True
    assert "--xla_gpu_deterministic_ops=true" in about["machine"]["xla_flags"]


def test_every_checkpoint_leaves_its_digest_behind(trained):
    run, _ = trained
    lines = RunDir(run).all_digests()
    assert [line["step"] for line in lines] == [40, 50, 60, 80, 100]
    assert Checkpoints(run / "checkpoints").steps() == [80, 100]
    assert "players/g/params/Dense_0/kernel" in lines[-1]["leaves"]
    assert len(lines[-1]["leaves"]) == len(set(lines[-1]["leaves"].values())) + repeated(lines[-1]["leaves"])


def repeated(leaves):
    """How many leaves have the digest of another: moments and counts that are equal."""
    values = list(leaves.values())
    return len(values) - len(set(values))


def test_a_run_of_an_earlier_version_goes_on(trained, capfd, tmp_path):
    """Its manifest knows neither the machine nor the commit, no fingerprint, and not every flag of today."""
    run, file = trained
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    about = json.loads((copy / "manifest.json").read_text())
    for part, name in (("settings", "deterministic"), ("data", "fingerprint")):
        del about[part][name]
    del about["machine"], about["commit"]
    (copy / "manifest.json").write_text(json.dumps(about))
    for name in ("resumes.jsonl", "digests.jsonl"):
        (copy / name).unlink()
    code, _, errors = command(capfd, "train", file, "--images", "880", "--run-dir", copy)
    assert code == 0, errors
    assert Checkpoints(copy / "checkpoints").latest() == 110
    assert [line["step"] for line in RunDir(copy).all_digests()] == [110]


def test_a_run_is_reproduced_though_it_was_stopped_in_between(trained, capfd):
    run, _ = trained
    code, out, errors = command(capfd, "reproduce", run)
    assert code == 0, errors
    assert out.startswith("identical: 5 checkpoints, the last of 800 images")
    assert out.split()[-1] == RunDir(run).all_digests()[-1]["digest"]


def test_or_the_beginning_of_it(trained, capfd):
    code, out, _ = command(capfd, "reproduce", trained[0], "--upto", "410")
    assert code == 0 and out.startswith("identical: 2 checkpoints, the last of 400 images")
    code, _, errors = command(capfd, "reproduce", trained[0], "--upto", "300")
    assert code == 2 and "no checkpoint before 320 images" in errors


def test_it_says_where_a_run_differs_and_by_how_much(trained, capfd, tmp_path):
    """The experiment has been edited since, to learn a little faster in its second phase only."""
    run, file = trained
    copy = shutil.copytree(run, tmp_path / "run")
    edited = tmp_path / "mine.py"
    text = file.read_text()
    faster = text.replace("def game(widths):", "def game(widths, learning_rate=learning_rate):")
    faster = faster.replace("game((8, 16))", "game((8, 16), 2 * learning_rate)")
    assert faster.count("learning_rate") == text.count("learning_rate") + 3
    edited.write_text(faster)
    about = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(about | {"experiment": str(edited)}))
    code, out, errors = command(capfd, "reproduce", copy)
    assert code == 1, errors
    lines = out.splitlines()
    assert lines[0].startswith("not as then: experiment:")
    assert lines[-2].startswith("different: first at step 60 (480 images), in players/d/")
    assert "keeps only the checkpoints of steps [80, 100]" in lines[-1]

    shorter = [line for line in RunDir(copy).all_digests() if line["step"] in (40, 50, 80)]
    RunDir(copy).digests.write_text("".join(json.dumps(line) + "\n" for line in shorter))
    code, out, _ = command(capfd, "reproduce", copy)
    assert code == 1 and "first at step 80" in out
    size = float(out.splitlines()[-1].split()[2].rstrip(","))
    assert 1e-4 < size < 1 and "in players/" in out.splitlines()[-1]


def test_a_run_without_digests_is_refused(trained, capfd, tmp_path):
    copy = shutil.copytree(trained[0], tmp_path / "run")
    (copy / "digests.jsonl").unlink()
    code, _, errors = command(capfd, "reproduce", copy)
    assert code == 2 and "has no digests" in errors and len(errors.splitlines()) == 1


@pytest.mark.parametrize("file", ["resumes.jsonl", "digests.jsonl"])
def test_damaged_files_are_told_in_a_line(trained, capfd, tmp_path, file):
    copy = shutil.copytree(trained[0], tmp_path / "run")
    (copy / file).write_text("[1]\n")
    code, _, errors = command(capfd, "reproduce", copy)
    assert code == 2 and f"{file} is damaged" in errors and len(errors.splitlines()) == 1


def test_digests_of_leaves_tell_which_leaf_differs():
    state = {"a": np.zeros(3, np.float32), "b": {"c": np.arange(4)}}
    other = {"a": np.zeros(3, np.float32), "b": {"c": np.arange(4) + 1}}
    ours, theirs = digests(state).leaves, digests(other).leaves
    assert ours.keys() == {"a", "b/c"} and ours["a"] == theirs["a"] and ours["b/c"] != theirs["b/c"]
    assert digest(state) != digest(other)


def test_a_fingerprint_is_of_images_labels_and_their_order():
    x = np.random.default_rng(0).integers(0, 256, (30, 4, 4, 1), np.uint8)
    y = np.arange(30) % 3
    prints = [
        fingerprint(from_arrays("a", x, y)),
        fingerprint(from_arrays("a", x[::-1], y)),
        fingerprint(from_arrays("a", x, y[::-1])),
        fingerprint(from_arrays("a", x)),
        fingerprint(from_arrays("a", x[:29], y[:29])),
    ]
    assert len(set(prints)) == len(prints)
    assert fingerprint(from_arrays("another name", x.copy(), y)) == prints[0]
    long = np.zeros((10_000, 1, 1, 1), np.uint8)
    assert fingerprint(from_arrays("long", long)) != fingerprint(
        from_arrays("long", long + (np.arange(10_000) == 9_999)[:, None, None, None].astype(np.uint8))
    )


def test_the_commit_of_an_experiment_and_whether_it_was_clean(tmp_path):
    assert commit(tmp_path / "mine.py") == {}
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    (tmp_path / "mine.py").write_text("1")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], check=True)
    found = commit(tmp_path / "mine.py")
    assert found["clean"] and len(found["commit"]) == 40
    (tmp_path / "mine.py").write_text("2")
    assert commit(tmp_path / "mine.py") == found | {"clean": False}


@pytest.mark.slow
def test_the_reference_run_is_reproduced(tmp_path):
    """In a process of its own, under the reference's flags. Its digests are of one jax and one kind of processor."""
    reference = Path(__file__).parents[2] / "experiments" / "reference"
    about = json.loads((reference / "manifest.json").read_text())
    if about["versions"]["jax"] != jax.__version__:
        pytest.skip(f"the reference run is of jax {about['versions']['jax']}")
    program = [sys.executable, "-c", "from gan_jax.cli.main import main; main()", "reproduce", str(reference)]
    env = {**os.environ, "XLA_FLAGS": about["machine"]["xla_flags"]}
    done = subprocess.run(program, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    if done.returncode == 1 and "not as then: machine model" in done.stdout:
        pytest.skip(f"the reference run is of {about['machine']['model']}: {done.stdout.splitlines()[-2]}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "identical: 3 checkpoints, the last of 9,600 images" in done.stdout
