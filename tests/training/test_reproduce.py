"""`gan-jax reproduce`: a run replayed from its manifest equals it to the bit, or the first difference is named."""

import json
import os
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
from gan_jax.errors import BadInput
from gan_jax.runs.checkpoint import Checkpoints
from gan_jax.runs.digest import digest, digests
from gan_jax.runs.files import write_jsonl
from gan_jax.runs.provenance import commit
from gan_jax.runs.run_dir import RunDir
from gan_jax.training import reproduce

TINY = Path(tiny.__file__)


def command(capfd, *argv):
    """Runs a command line; returns exit code, stdout and stderr."""
    capfd.readouterr()
    with pytest.raises(SystemExit) as done:
        main([*map(str, argv)])
    out, errors = capfd.readouterr()
    return done.value.code or 0, out, errors


def test_manifest_records_settings_machine_versions_and_data(shared_run):
    about = json.loads((shared_run / "manifest.json").read_text())
    assert about["settings"]["images"] == 480, "the manifest is never rewritten"
    assert about["settings"]["seed"] == 0 and about["machine"]["prng"] == "threefry2x32"
    assert about["machine"]["devices"] == len(jax.devices())
    assert {"device", "xla_flags", "matmul_precision"} <= about["machine"].keys()
    assert about["versions"]["jax"] == jax.__version__
    assert about["data"]["fingerprint"] == fingerprint(open_source("mnist5k"))
    [resume] = [json.loads(line) for line in (shared_run / "resumes.jsonl").read_text().splitlines()]
    assert resume["settings"] == {"images": 800}
    assert RunDir(shared_run).read().settings["images"] == 800


def test_deterministic_run_sets_and_records_the_xla_flag(tmp_path, monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", os.environ["XLA_FLAGS"])
    monkeypatch.setattr("gan_jax.cli.train.train", lambda *_, **__: None)  # the manifest is written before training
    with pytest.raises(SystemExit) as done:
        main(["train", str(TINY), "--images", "80", "--run-dir", str(tmp_path / "run"), "--deterministic"])
    assert not done.value.code
    about = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert about["settings"]["deterministic"] is True
    assert "--xla_gpu_deterministic_ops=true" in about["machine"]["xla_flags"]


def test_every_checkpoint_has_a_digest_even_after_deletion(shared_run):
    lines = RunDir(shared_run).read_digests()
    assert [line["step"] for line in lines] == [40, 50, 60, 80, 100]
    assert Checkpoints(shared_run / "checkpoints").steps() == [80, 100]
    assert "players/g/params/Dense_0/kernel" in lines[-1]["leaves"]
    assert len(lines[-1]["leaves"]) == len(set(lines[-1]["leaves"].values())) + repeated(lines[-1]["leaves"])


def repeated(leaves):
    """Counts leaves with the digest of another leaf: equal moments and counts."""
    values = list(leaves.values())
    return len(values) - len(set(values))


def test_run_of_an_earlier_version_is_resumed(trained_run, capfd):
    """Its manifest lacks machine, commit, fingerprint and newer flags."""
    about = json.loads((trained_run / "manifest.json").read_text())
    for part, name in (("settings", "deterministic"), ("data", "fingerprint")):
        del about[part][name]
    del about["machine"], about["commit"]
    (trained_run / "manifest.json").write_text(json.dumps(about))
    for name in ("resumes.jsonl", "digests.jsonl"):
        (trained_run / name).unlink()
    code, _, errors = command(capfd, "train", TINY, "--images", "880", "--run-dir", trained_run)
    assert code == 0, errors
    assert Checkpoints(trained_run / "checkpoints").latest() == 110
    assert [line["step"] for line in RunDir(trained_run).read_digests()] == [110]


@pytest.mark.slow
def test_resumed_run_is_reproduced(shared_run, capfd):
    code, out, errors = command(capfd, "reproduce", shared_run)
    assert code == 0, errors
    assert out.startswith("identical: 5 checkpoints, the last of 800 images")
    assert out.split()[-1] == RunDir(shared_run).read_digests()[-1]["digest"]


def test_upto_selects_the_checkpoints_to_compare(shared_run):
    assert list(reproduce.digests(RunDir(shared_run), 410)) == [40, 50]
    with pytest.raises(BadInput, match="no checkpoint before 320 images"):
        reproduce.digests(RunDir(shared_run), 300)


@pytest.mark.slow
def test_reproduce_reports_step_leaf_and_size_of_a_difference(trained_run, capfd, tmp_path):
    """The experiment was edited: its second phase has a larger learning rate. The digest of step 60 is missing."""
    edited = tmp_path / "tiny.py"
    text = TINY.read_text()
    faster = text.replace("def game(widths):", "def game(widths, learning_rate=learning_rate):")
    faster = faster.replace("game((8, 16))", "game((8, 16), 2 * learning_rate)")
    assert faster.count("learning_rate") == text.count("learning_rate") + 3
    edited.write_text(faster)
    about = json.loads((trained_run / "manifest.json").read_text())
    (trained_run / "manifest.json").write_text(json.dumps(about | {"experiment": str(edited)}))
    folder = RunDir(trained_run)
    write_jsonl(folder.digests, [line for line in folder.read_digests() if line["step"] in (40, 50, 80)])
    code, out, errors = command(capfd, "reproduce", trained_run)
    assert code == 1, errors
    lines = out.splitlines()
    assert lines[0].startswith("changed: experiment:")
    assert lines[-2].startswith("different: first at step 80 (640 images), in players/d/")
    assert 1e-4 < float(lines[-1].split()[2].rstrip(",")) < 1 and "in players/" in lines[-1]


def test_size_of_a_difference_needs_the_checkpoint(shared_run):
    folder = RunDir(shared_run)
    said = reproduce.largest_difference(None, 60, folder, folder)
    assert said.endswith("keeps only the checkpoints of steps [80, 100]")


def test_first_difference_names_first_step_and_leaf():
    wanted = {step: {"images": 8 * step, "digest": "a", "leaves": {"x": "1", "y": "2", "z": "3"}} for step in (1, 2, 3)}
    found = wanted | {2: wanted[2] | {"digest": "b", "leaves": {"x": "1", "y": "7", "z": "8"}}, 3: {"digest": "c"}}
    assert reproduce.differing(wanted, wanted) is None
    assert reproduce.differing(wanted, found) == 2
    said = reproduce.first_difference(2, wanted, found)
    assert said == "different: first at step 2 (16 images), in y and 1 more of 3 leaves"


def test_run_without_digests_is_refused(trained_run, capfd):
    (trained_run / "digests.jsonl").unlink()
    code, _, errors = command(capfd, "reproduce", trained_run)
    assert code == 2 and "has no digests" in errors and len(errors.splitlines()) == 1


@pytest.mark.parametrize("file", ["resumes.jsonl", "digests.jsonl"])
def test_damaged_files_give_one_line_errors(trained_run, capfd, file):
    (trained_run / file).write_text("[1]\n")
    code, _, errors = command(capfd, "reproduce", trained_run)
    assert code == 2 and f"{file} is damaged" in errors and len(errors.splitlines()) == 1


def test_leaf_digests_identify_the_changed_leaf():
    state = {"a": np.zeros(3, np.float32), "b": {"c": np.arange(4)}}
    other = {"a": np.zeros(3, np.float32), "b": {"c": np.arange(4) + 1}}
    ours, theirs = digests(state).leaves, digests(other).leaves
    assert ours.keys() == {"a", "b/c"} and ours["a"] == theirs["a"] and ours["b/c"] != theirs["b/c"]
    assert digest(state) != digest(other)


def test_fingerprint_depends_on_images_labels_and_order():
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


def test_commit_of_an_experiment_and_clean_state_are_found(tmp_path):
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
def test_reference_run_is_reproduced(tmp_path):
    """Runs in its own process with the XLA flags of the reference; digests hold for one jax version and processor."""
    reference = Path(__file__).parents[2] / "experiments" / "reference"
    about = json.loads((reference / "manifest.json").read_text())
    if about["versions"]["jax"] != jax.__version__:
        pytest.skip(f"the reference run is of jax {about['versions']['jax']}")
    program = [sys.executable, "-c", "from gan_jax.cli.main import main; main()", "reproduce", str(reference)]
    env = {**os.environ, "XLA_FLAGS": about["machine"]["xla_flags"]}
    done = subprocess.run(program, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    if done.returncode == 1 and "changed: machine model" in done.stdout:
        pytest.skip(f"the reference run is of {about['machine']['model']}: {done.stdout.splitlines()[-2]}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "identical: 3 checkpoints, the last of 9,600 images" in done.stdout
