"""Commands without a home folder, or without the device that JAX is told to use: one line, or a default."""

import os
import pwd
import subprocess
import sys

import jax
import pytest
import tiny
from commands import command

from gan_jax.data.cache import cache_folder
from gan_jax.errors import BadInput

TOUCHING_DEVICES = {
    "train": ["train", tiny.__file__, "--images", "8"],
    "sweep": ["sweep", tiny.__file__],
    "sample": ["sample", "RUN"],
    "evaluate": ["evaluate", "RUN"],
    "reproduce": ["reproduce", "RUN"],
}


@pytest.fixture
def homeless(monkeypatch):
    """Removes the home folder, as for a user of a container without a name."""

    def unknown(_):
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "GAN_JAX_CACHE"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_home_the_cache_of_data_needs_a_folder(homeless, monkeypatch, tmp_path):
    with pytest.raises(BadInput, match="set GAN_JAX_CACHE"):
        cache_folder()
    monkeypatch.setenv("GAN_JAX_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


def test_without_a_home_commands_run_without_a_compilation_cache(homeless, capfd):
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", None)
    try:
        assert command(capfd, "list")[0] == 0
        assert jax.config.jax_compilation_cache_dir is None
    finally:
        jax.config.update("jax_compilation_cache_dir", before)


@pytest.mark.parametrize(
    "name", [each if each == "train" else pytest.param(each, marks=pytest.mark.slow) for each in TOUCHING_DEVICES]
)
def test_missing_device_is_one_line(name, shared_run, tmp_path):
    program = "from gan_jax.cli.main import main; main()"
    argv = [str(shared_run) if word == "RUN" else word for word in TOUCHING_DEVICES[name]]
    environment = os.environ | {"JAX_PLATFORMS": "cuda", "XLA_FLAGS": "", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-c", program, *argv], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and "JAX_PLATFORMS=cuda" in done.stderr, done.stderr
    assert not list(tmp_path.iterdir())
