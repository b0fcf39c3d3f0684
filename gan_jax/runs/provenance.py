"""Where a run's numbers come from, besides its settings and its data: the commit, the packages, and the machine."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import jax

DETERMINISTIC = "--xla_gpu_deterministic_ops=true"

PACKAGES = ("gan-jax", "jax", "jaxlib", "flax", "optax", "numpy")


def versions() -> dict[str, str]:
    """The versions of the packages that decide a run's numbers."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def commit(file: Path) -> dict[str, Any]:
    """The commit of the repository that an experiment's file lies in, and whether its files were as committed.

    Empty where there is none, or no git. Files that git does not track do not count.
    """

    def git(*words: str) -> str:
        command = ["git", "-C", str(file.resolve().parent), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "clean": not git("status", "--porcelain", "--untracked-files=no")}
    except (OSError, subprocess.CalledProcessError):
        return {}


def compute_repeatably() -> None:
    """Tells XLA to leave out what makes two runs on one GPU differ: sums in the order in which threads come to an end.

    It has to be said before JAX looks for devices. Other devices compute as they did.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if DETERMINISTIC not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {DETERMINISTIC}".strip()


def machine() -> dict[str, Any]:
    """The devices, and what JAX was told of how to compute on them."""
    devices = jax.devices()
    return {
        "python": platform.python_version(),
        "device": devices[0].device_kind,
        "devices": len(devices),
        "platform": devices[0].platform,
        "processor": platform.machine(),
        "model": _processor_model(),
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
        "matmul_precision": jax.config.jax_default_matmul_precision or "default",
        "prng": jax.config.jax_default_prng_impl,
        "threefry_partitionable": jax.config.jax_threefry_partitionable,
        "x64": jax.config.jax_enable_x64,
    }


def _processor_model() -> str:
    """The processor, whose instructions decide in which order XLA adds up; its name alone may stand for several."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    said = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return " / ".join(said[name] for name in ("model name", "cpu family", "model", "stepping") if name in said)
