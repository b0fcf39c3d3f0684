"""The run lock: one process at a time trains a run."""

import errno
import signal
import subprocess
import sys

import pytest
from filelock import FileLock

from gan_jax import BadInput
from gan_jax.cli.main import main
from gan_jax.runs.lock import LOCK_FILE, run_lock

HOLDS = """
import sys, time
from pathlib import Path
from gan_jax.runs.lock import run_lock

with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """Starts another process that holds the lock."""
    command = [sys.executable, "-c", HOLDS, str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_second_process_is_refused_until_the_first_ends(holder, tmp_path):
    with pytest.raises(BadInput, match=r"another process trains .*run: wait for it"), run_lock(tmp_path / "run"):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with run_lock(tmp_path / "run"):
        pass
    assert list((tmp_path / "run").iterdir()) == []


def test_exception_releases_the_lock(tmp_path):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), run_lock(tmp_path):
            raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_run_works_on_a_file_system_without_locks(tmp_path, monkeypatch):
    def refuse(lock):
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with run_lock(tmp_path):
        pass


@pytest.mark.parametrize("command", [["train", "dirac"], ["compare", "dirac", "--vary", "learning-rate=0.1"]])
def test_commands_write_nothing_into_a_locked_folder(holder, tmp_path, capfd, command):
    with pytest.raises(SystemExit) as done:
        main([*command, "--run-dir", str(tmp_path / "run")])
    errors = capfd.readouterr().err
    assert done.value.code == 2 and "another process trains" in errors and len(errors.splitlines()) == 1
    assert [file.name for file in (tmp_path / "run").iterdir()] == [LOCK_FILE]
