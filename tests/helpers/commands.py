"""Runs command lines in process, and compares folders before and after."""

import pytest

from gan_jax.cli.main import main


def command(capfd, *argv):
    """Runs a command line; returns exit code, stdout and stderr."""
    with pytest.raises(SystemExit) as done:
        main([str(word) for word in argv])
    out, errors = capfd.readouterr()
    return done.value.code or 0, out, errors


def snapshot(folder):
    """Reads every file below a folder."""
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
