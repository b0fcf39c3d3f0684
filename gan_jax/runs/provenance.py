"""Provenance of a run beyond its settings and data: the commit, package versions and the machine."""

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
    """Returns the versions of the packages that affect a run's numbers."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def commit(file: Path) -> dict[str, Any]:
    """Returns the commit of an experiment file's repository, and whether the tracked files are unchanged.

    Empty without a repository, or without git.
    """

    def git(*words: str) -> str:
        command = ["git", "-C", str(file.resolve().parent), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "clean": not git("status", "--porcelain", "--untracked-files=no")}
    except (OSError, subprocess.CalledProcessError):
        return {}


def compute_repeatably() -> None:
    """Makes XLA use deterministic GPU kernels only. No effect once JAX has initialized its devices."""
    flags = os.environ.get("XLA_FLAGS", "")
    if DETERMINISTIC not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {DETERMINISTIC}".strip()


def machine() -> dict[str, Any]:
    """Describes the devices, and the JAX settings that affect numbers."""
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
    """Describes the processor, whose instructions decide the order of XLA's sums. Several models may share a name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return " / ".join(fields[name] for name in ("model name", "cpu family", "model", "stepping") if name in fields)
