"""`gan-jax sweep`: its files, training only missing runs, stopping and resuming, and one-line errors."""

import csv
import json
import shutil
from pathlib import Path

import duel
import pytest

from gan_jax import BadInput
from gan_jax.cli.main import main
from gan_jax.cli.sweep import sweep
from gan_jax.runs.checkpoint import Checkpoints

DUEL = str(Path(duel.__file__))


def run(folder, *flags, stop=lambda: False):
    return sweep(DUEL, [*flags, "--run-dir", str(folder)], stop)


def records(folder):
    """Returns the logged records of every program without their times."""
    files = sorted(folder.glob("programs/*/records.jsonl"))
    lines = {file.parent.name: [json.loads(line) for line in file.read_text().splitlines()] for file in files}
    return {name: [{k: v for k, v in line.items() if k != "seconds"} for line in each] for name, each in lines.items()}


def digests(folder):
    """Returns the digest in the seal of every program's last checkpoint."""
    last = (Checkpoints(file.parent / "checkpoints") for file in sorted(folder.glob("programs/*/program.json")))
    seals = ((c.folder / str(c.latest()) / "seal").read_text().split("\n")[1] for c in last)
    return [json.loads(seal)["digest"] for seal in seals]


def rows(folder):
    return list(csv.DictReader((folder / "table.csv").open()))


GRID = ("--vary", "loss=hinge,wasserstein", "--vary", "learning_rate=0.01,0.02", "--seeds", "2")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed") / "grid"
    assert run(folder, *GRID)
    return folder


def test_sweep_writes_tables_and_a_contact_sheet(undisturbed, capsys):
    assert run(undisturbed, *GRID)
    shown, _ = capsys.readouterr()
    assert "spread ↑" in shown and "2 of 2" in shown and str(undisturbed / "table.md") in shown
    assert [(r["loss"], r["learning_rate"], r["metric"]) for r in rows(undisturbed)] == [
        (loss, rate, "spread") for loss in ("hinge", "wasserstein") for rate in ("0.01", "0.02")
    ]
    assert len(records(undisturbed)) == 2  # one program per loss, each with two rates and two seeds
    written = json.loads((undisturbed / "table.json").read_text())
    assert written["command"].startswith("gan-jax sweep ") and written["seeds"] == [0, 1]
    assert {"d/loss", "spread"} <= written["rows"][0]["runs"][0]["final"].keys()
    assert (undisturbed / "samples.png").is_file() and "± " in (undisturbed / "table.md").read_text()


def test_finished_sweep_is_not_trained_again(undisturbed):
    before = {file: file.stat().st_mtime_ns for file in undisturbed.rglob("*") if "table" not in file.name}
    tables = {form: (undisturbed / f"table.{form}").read_bytes() for form in ("md", "csv", "json")}
    assert run(undisturbed, *GRID)
    assert {form: (undisturbed / f"table.{form}").read_bytes() for form in tables} == tables
    changed = {file.name for file, time in before.items() if file.stat().st_mtime_ns != time}
    assert changed <= {"manifest.json", "samples.png", undisturbed.name}


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2])
def test_stopped_and_resumed_sweep_ends_in_the_same_bits(undisturbed, tmp_path, capsys, times):
    half = ("--loss", "hinge", *GRID[2:])  # the first of the two programs
    for _ in range(times):
        stops = iter([False] + [True] * 99)
        assert not run(tmp_path / "grid", *half, stop=lambda stops=stops: next(stops))
    assert "the same command continues" in capsys.readouterr().err
    assert run(tmp_path / "grid", *half)
    [(name, ours)] = records(tmp_path / "grid").items()
    assert ours == records(undisturbed)[name]
    assert digests(tmp_path / "grid")[0] in digests(undisturbed)
    values = {"final_mean", "best_so_far_mean", "final_std", "final_best", "final_worst", "succeeded"}
    ours, theirs = (
        [{v: row[v] for v in values} for row in rows(folder)] for folder in (tmp_path / "grid", undisturbed)
    )
    assert ours == theirs[:2]


@pytest.mark.slow
def test_extended_sweep_trains_only_missing_runs(tmp_path):
    folder = tmp_path / "grid"
    assert run(folder, "--vary", "momentum=0.5", "--seeds", "1", "--images", "80")
    first = records(folder)
    assert run(folder, "--vary", "momentum=0.5,0.9", "--seeds", "2", "--images", "80")
    after = records(folder)
    assert first.items() <= after.items()
    begun = [json.loads(file.read_text()) for file in folder.glob("programs/*/program.json")]
    assert sorted((about["settings"][0]["momentum"], tuple(about["seeds"])) for about in begun) == [
        (0.5, (0,)), (0.5, (1,)), (0.9, (0, 1)),
    ]  # fmt: skip
    assert [row["seeds"] for row in rows(folder)] == ["2", "2"]
    less = "--vary", "momentum=0.9", "--seed", "1", "--seeds", "1", "--images", "80", "--log-every", "2"
    assert run(folder, *less)
    assert records(folder) == after and [row["final_best_seed"] for row in rows(folder)] == ["1"]


def test_stop_before_the_first_save_is_reported(tmp_path, capsys):
    assert not run(tmp_path / "grid", "--seeds", "1", stop=lambda: True)
    assert "stopped; nothing was saved yet: " in capsys.readouterr().err
    assert not list(tmp_path.rglob("checkpoints/*"))


def test_records_shorter_than_the_checkpoint_are_refused(undisturbed, tmp_path):
    shutil.copytree(undisturbed, tmp_path / "grid")
    file = sorted(tmp_path.glob("grid/programs/*/records.jsonl"))[-1]
    lines = file.read_text().splitlines(keepends=True)
    for kept in (0, len(lines) - 1):
        file.write_text("".join(lines[:kept]))
        before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")}
        with pytest.raises(BadInput, match=r"records.jsonl ends before step 15, .*: delete its folder to train it"):
            run(tmp_path / "grid", *GRID)
        assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")} == before
    shutil.rmtree(file.parent)
    assert not run(tmp_path / "grid", *GRID, stop=lambda: True)  # it trains the deleted program again


MINE = """
import jax.numpy as jnp
from gan_jax.losses import AdversarialLoss
from gan_jax.penalties import Penalty

good = AdversarialLoss(d=lambda s_real, s_fake: s_fake - s_real, g=lambda s_real, s_fake: -s_fake)
mean = good._replace(g=lambda s_real, s_fake: jnp.mean(s_fake))
image = Penalty(d=lambda nets, batch, x_fake, keys, step: x_fake)
"""

MISTAKES = {
    "unknown loss": ("--vary loss=hing", "did you mean hinge?"),
    "unknown flag in --vary": ("--vary los=hinge", "did you mean --loss?"),
    "unknown flag": ("--los hinge", "did you mean --loss?"),
    "no value": ("--vary loss", "write a flag and its values"),
    "empty value": ("--vary loss=hinge,", "a value is empty"),
    "no seeds": ("--seeds 0", "INT > 0"),
    "no such metric": ("--metrics fid", "--metrics fid is not logged: choose one of d/accuracy_fake"),
    "no such direction": ("--metrics spread:up", "write spread:max"),
    "loss of the wrong shape": ("--vary loss=mine.py:mean", "mine.py:mean: g must return float32[4]"),
    "penalty of the wrong shape": ("--vary penalty=none,mine.py:image:1", "mine.py:image: d must return a penalty"),
    "file that raises": ("--vary loss=broken.py:x", "broken.py:1: NameError: name 'nothing_of_that_name' is not"),
    "best": ("--best d/loss", "--best is for train"),
    "rollbacks": ("--rollbacks 1", "--rollbacks is for train"),
    "tf": ("--pipeline tf", "--pipeline tf is for train"),
    "too large for the devices": ("--exact --vary batch-size=8,12", "a batch of 12 cannot be split over 8 devices"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_give_one_line_errors_and_write_nothing(mistake, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(MINE)
    Path("broken.py").write_text("nothing_of_that_name")
    flags, message = MISTAKES[mistake]
    with pytest.raises(SystemExit) as done:
        main(["sweep", DUEL, *flags.split()])
    out, errors = capsys.readouterr()
    assert (done.value.code, out) == (2, "")
    assert len(errors.splitlines()) == (2 if "broken.py" in flags else 1) and message in errors
    assert not Path("runs").exists()


@pytest.mark.slow
def test_changed_settings_and_edited_files_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(MINE)
    flags = ["--vary", "loss=mine.py:good", "--seeds", "1", "--images", "80", "--run-dir", "grid"]
    assert sweep(DUEL, flags, lambda: False)

    def refused(*argv):
        with pytest.raises(SystemExit) as done:
            main([argv[0], DUEL, *argv[1:]])
        assert done.value.code == 2
        return capsys.readouterr().err

    assert "--batch-size 8, not 16" in refused("sweep", *flags, "--batch-size", "16")
    assert "--images 80, not 160" in refused("sweep", *flags, "--images", "160")
    assert "holds a sweep, not a single run" in refused("train", "--run-dir", "grid", "--images", "80")
    Path("mine.py").write_text(MINE + "\n")
    assert "an earlier version of" in refused("sweep", *flags)


@pytest.mark.slow
def test_train_accepts_losses_and_penalties_of_user_files(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(MINE)

    def train(*flags):
        with pytest.raises(SystemExit) as done:
            main(["train", DUEL, "--images", "40", "--run-dir", "run", *flags])
        return done.value.code or 0, capsys.readouterr().err

    code, errors = train("--penalty", "mine.py:image:1")
    assert code == 2 and "mine.py:image: d must return a penalty per example, (8,)" in errors
    assert not Path("run").exists()
    flags = "--loss", "mine.py:good", "--penalty", "r1:0.1"
    assert train(*flags)[0] == 0
    assert json.loads(Path("run/manifest.json").read_text())["settings"]["loss"] == f"{tmp_path}/mine.py:good"
    assert train(*flags)[0] == 0
    Path("mine.py").write_text(MINE + "\n")
    code, errors = train(*flags)
    assert code == 2 and "an earlier version of" in errors
