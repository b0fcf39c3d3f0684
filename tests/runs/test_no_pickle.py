"""No file of a run is a pickle or read as one, so that loading executes no code."""

import contextlib
import hashlib
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import tiny

from gan_jax.cli.main import main
from gan_jax.errors import BadInput
from gan_jax.monitoring.monitor import summary
from gan_jax.runs.checkpoint import SEAL
from gan_jax.runs.run_dir import RunDir
from gan_jax.training.reproduce import digests
from gan_jax.training.restore import rebuild, restore


class Trap:
    """Writes a file into the current folder when unpickled."""

    def __reduce__(self):
        return Path("trapped").touch, ()


def commands(run):
    """Returns all commands that read or resume a run."""
    return (
        ["sample", run, "--out", "samples.npz"],
        ["evaluate", run, "--metrics", "modes", "--samples", "20", "--out", "scores.json"],
        ["reproduce", run, "--upto", "320"],
        ["train", tiny.__file__, "--images", "880", "--run-dir", run],
    )


def ends(argv):
    with pytest.raises(SystemExit) as done:
        main([*map(str, argv)])
    return done.value.code or 0


@pytest.mark.slow
def test_run_is_written_and_read_without_pickle(trained_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def refuse(*_, **__):
        pytest.fail("a pickle was read")

    for name in ("load", "loads", "Unpickler", "_Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    for argv in commands(trained_run):
        assert ends(argv) == 0, argv


def readers(run):
    """Yields functions that read each part of a run."""
    folder = RunDir(run)
    yield lambda: rebuild(folder)
    yield folder.records
    yield lambda: summary(folder)
    yield lambda: digests(folder, None)
    yield lambda: folder.rewind(100)
    yield lambda: restore(run)


def replace(file, data, checkpoint):
    """Overwrites a file of a run and updates the seal if it belongs to the checkpoint."""
    file.write_bytes(data)
    if file.is_relative_to(checkpoint) and file.name != SEAL:
        seal = json.loads((checkpoint / SEAL).read_text().split("\n")[1])
        seal["files"][str(file.relative_to(checkpoint))] = hashlib.sha256(data).hexdigest()
        text = json.dumps(seal)
        (checkpoint / SEAL).write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}")


@pytest.mark.slow
@pytest.mark.medium
def test_pickle_in_place_of_any_run_file_is_not_loaded(trained_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(Trap()))
    assert Path("trapped").exists(), "the trap does not work"
    Path("trapped").unlink()
    checkpoint = trained_run / "checkpoints" / "100"
    files = sorted(path for path in trained_run.glob("*") if path.is_file())
    files += sorted(path for path in checkpoint.rglob("*") if path.is_file())
    for file in files:
        saved = {path: path.read_bytes() for path in (*trained_run.glob("*.json*"), checkpoint / SEAL, file)}
        replace(file, pickle.dumps(Trap()), checkpoint)
        for read in readers(trained_run):
            with contextlib.suppress(BadInput):
                read()
            assert not Path("trapped").exists(), file
        for path, data in saved.items():
            path.write_bytes(data)


@pytest.mark.parametrize("name", ["a.npz", "a.npy", "a.pt"])
def test_pickle_in_place_of_arrays_or_weights_is_not_loaded(name, tmp_path, monkeypatch):
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
