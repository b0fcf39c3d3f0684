"""Nothing that is read back can execute code: nothing of it is a pickle, nor is read as one."""

import hashlib
import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import tiny

from gan_jax.cli.main import main
from gan_jax.runs.checkpoint import SEAL


class Trap:
    """Betrays that it was unpickled, by a file in the current folder."""

    def __reduce__(self):
        return Path("trapped").touch, ()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run that keeps one checkpoint, with an evaluation, in a folder of its own."""
    run = tmp_path_factory.mktemp("no_pickle") / "run"
    with pytest.raises(SystemExit) as done:
        main(["train", tiny.__file__, "--images", "80", "--keep", "1", "--run-dir", str(run)])
    assert not done.value.code
    return run


def commands(run):
    """Every command that reads a run back, and goes on with it."""
    return (
        ["sample", run, "--out", "samples.npz"],
        ["evaluate", run, "--metrics", "modes", "--samples", "20", "--out", "scores.json"],
        ["reproduce", run],
        ["train", tiny.__file__, "--images", "160", "--run-dir", run],
    )


def ends(argv):
    with pytest.raises(SystemExit) as done:
        main([*map(str, argv)])
    return done.value.code or 0


def test_a_run_is_written_and_read_back_without_pickle(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = shutil.copytree(trained, tmp_path / "run")

    def refuse(*_, **__):
        pytest.fail("a pickle was read")

    for name in ("load", "loads", "Unpickler", "_Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    for argv in commands(run):
        assert ends(argv) == 0, argv


def damaged(run):
    """Every file of a run, one after the other, in place of which a pickle lies; seals of checkpoints hold for it."""
    trap = pickle.dumps(Trap())
    for file in sorted(path for path in run.rglob("*") if path.is_file() and not path.name.startswith("events")):
        copy = Path(shutil.copytree(run, "copy"))
        here = copy / file.relative_to(run)
        here.write_bytes(trap)
        [checkpoint] = (copy / "checkpoints").iterdir()
        if here.is_relative_to(checkpoint) and here.name != SEAL:
            seal = json.loads((checkpoint / SEAL).read_text().split("\n")[1])
            seal["files"][str(here.relative_to(checkpoint))] = hashlib.sha256(trap).hexdigest()
            text = json.dumps(seal)
            (checkpoint / SEAL).write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}")
        yield copy
        shutil.rmtree(copy)


def test_a_pickle_in_place_of_any_file_of_a_run_is_not_loaded(trained, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(Trap()))
    assert Path("trapped").exists(), "the trap does not work"
    Path("trapped").unlink()
    for copy in damaged(trained):
        assert ends(["train", tiny.__file__, "--images", "80", "--run-dir", copy]) in (0, 2)  # reads all of it
        assert "Traceback" not in capsys.readouterr().err
        assert not Path("trapped").exists()


@pytest.mark.parametrize("name", ["a.npz", "a.npy", "a.pt"])
def test_a_pickle_in_place_of_arrays_or_weights_is_not_loaded(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(pickle.dumps(Trap(), protocol=2))
    np.save("objects.npy", np.array([Trap()], object), allow_pickle=True)
    for argv in (
        ["evaluate", name, "mnist5k", "--metrics", "fid"],
        ["evaluate", "mnist5k", "mnist5k", "--metrics", "fid", "--inception-weights", name],
        ["train", "ring", "--data", name],
        ["train", "ring", "--data", "objects.npy"],
    ):
        assert ends(argv) == 2
        assert not Path("trapped").exists()
