"""Keeps the results, the clock and the log of a run of the script, and writes them as JSON and as Markdown."""

import json
import math
import os
import subprocess
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax

PROTOCOL = """
- JAX: chunks of steps in one dispatch, with data on the device, by the loop of `gan-jax train`; a rate is the median
  over chunks, quartiles in brackets. Each step also computes the metrics that training logs; PyTorch computes none.
- PyTorch: the same networks (equal parameter counts are asserted), losses, turns, Adam (fused) and moving average, data
  on the device, channels_last, cuDNN benchmark. `graph`: the whole step captured in a CUDA graph. `compile`:
  `torch.compile` of both networks; the gradient penalty stays eager, for it needs second derivatives. Padding of
  strided layers is symmetric in PyTorch and `SAME` in JAX: the same sizes and operations.
- float32 is TF32 on both sides in products and convolutions (JAX's default precision on a GPU, PyTorch's `high`);
  bfloat16 is the networks' `dtype`, and autocast: parameters, statistics, last layer and losses are float32.
- Operations of a step: XLA's cost analysis before compilation. Peak: products of random 8192 x 8192 matrices.
"""


class Report:
    """The results so far, and the time that is left."""

    def __init__(self, out: Path, minutes: float, data: Path | None, toy: bool):
        self.out, self.data, self.toy = out, data, toy
        self.begin, self.seconds = time.monotonic(), 60 * minutes
        out.mkdir(parents=True, exist_ok=True)
        lists = ("failures", "checks", "notes", "skipped", "rates", "seeds", "torch")
        self.took: dict[str, float] = {}
        """Seconds of every section that has ended."""
        self.results: dict[str, Any] = {"machine": _machine(), "peak": {}, "took": self.took}
        self.results |= {name: [] for name in lists}
        self.log(str(self.results["machine"]))

    def left(self) -> float:
        """Returns the seconds that are left."""
        return self.seconds - (time.monotonic() - self.begin)

    def log(self, line: str) -> None:
        """Prints a line with the seconds since the start."""
        print(f"[{time.monotonic() - self.begin:6.1f} s] {line}", flush=True)

    def note(self, line: str) -> None:
        """Records a finding that is neither right nor wrong."""
        self.log(line)
        self.results["notes"].append(line)

    def skip(self, what: str, why: str) -> None:
        """Records what was not run."""
        self.log(f"skipped {what}: {why}")
        self.results["skipped"].append(f"{what}: {why}")

    def fail(self, line: str) -> None:
        """Records a failure, which makes the exit code 1."""
        self.log(f"FAILED {line}")
        self.results["failures"].append(line)

    @contextmanager
    def catching(self, what: str) -> Iterator[None]:
        """Records an exception as a failure, and goes on: the next measurement may succeed."""
        try:
            yield
        except Exception as error:
            traceback.print_exc()
            self.fail(f"{what}: {type(error).__name__}: {str(error)[:500]}")

    def check(self, name: str, error: float, tolerance: float) -> None:
        """Records an error that must be within the tolerance; NaN is not."""
        ok = error <= tolerance
        self.results["checks"].append({"check": name, "error": error, "tolerance": tolerance, "ok": ok})
        self.log(f"{name}: error {error:.3g}, tolerance {tolerance:.3g}")
        if not ok:
            self.fail(f"{name}: error {error:.3g} is over {tolerance:.3g}")

    def write(self) -> None:
        """Writes `accelerator.json` and `accelerator.md`."""
        self.results["seconds"] = time.monotonic() - self.begin
        (self.out / "accelerator.json").write_text(json.dumps(self.results, indent=1, default=str) + "\n")
        (self.out / "accelerator.md").write_text(markdown(self.results))


def _machine() -> dict[str, Any]:
    """Describes the device, its driver, and the packages."""
    try:
        query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
        driver = subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        driver = "no nvidia-smi"
    [device, *_] = jax.devices()
    names = ("jax", "jaxlib", "flax", "optax", "numpy")
    machine = {"device": device.device_kind, "platform": device.platform, "nvidia-smi": driver}
    return machine | {"cores": os.cpu_count()} | {name: version(name) for name in names}


def markdown(results: dict[str, Any]) -> str:
    """Formats the results as tables."""
    lines = ["# gan_jax on " + ", ".join(f"{name} {value}" for name, value in results["machine"].items()), ""]
    lines += [f"- FAILED: {line}" for line in results["failures"]]
    lines += [f"- skipped: {line}" for line in results["skipped"]] + [f"- {line}" for line in results["notes"]] + [""]
    lines += _table(
        ("check", "error", "tolerance"), [(c["check"], c["error"], c["tolerance"]) for c in results["checks"]]
    )
    lines += _table(("matrix products", "TFLOP/s"), [(name, rate / 1e12) for name, rate in results["peak"].items()])
    lines += _table(
        ("game", "dtype", "batch", "steps/s", "GFLOP a step", "TFLOP/s", "share of peak", "compile s"),
        [_rate(row, results["peak"].get(row["dtype"])) for row in results["rates"]],
    )
    lines += _torch_table(results)
    lines += _table(
        ("seeds of the small DCGAN", "steps/s", "seeds x steps/s", "compile s"),
        [(r["seeds"], _spread(r), r["seeds"] * r["steps_per_s"], r["compile_s"]) for r in results["seeds"]],
    )
    return "\n".join(lines) + PROTOCOL


def _rate(row: dict[str, Any], peak: float | None) -> tuple:
    flops = row.get("flops", math.nan)
    rate = flops * row["steps_per_s"]
    share = f"{100 * rate / peak:.2g} %" if peak else ""
    return (
        row["game"],
        row["dtype"],
        row["batch"],
        _spread(row),
        flops / 1e9,
        rate / 1e12,
        share,
        row["compile_s"],
    )


def _torch_table(results: dict[str, Any]) -> list[str]:
    """Sets each game's rate beside its twins'."""
    variants = ("eager", "graph", "compile", "compile graph")
    rows = []
    for row in results["rates"]:
        same = [t for t in results["torch"] if (t["game"], t["dtype"]) == (row["game"], row["dtype"])]
        found = {t["variant"]: t for t in same}
        best = max((t["steps_per_s"] for t in same if "steps_per_s" in t), default=None)
        twins = [_spread(found[v]) if v in found else "not run" for v in variants]
        rows.append((row["game"], row["dtype"], _spread(row), *twins, row["steps_per_s"] / best if best else ""))
    titles = ("game, steps/s", "dtype", "gan_jax", *(f"torch {v}" for v in variants), "gan_jax / best torch")
    return _table(titles, rows if results["torch"] else [])


def _spread(row: dict[str, Any]) -> str:
    if "error" in row:
        return f"failed: {row['error'][:60]}"
    low, high = row["quartiles"]
    return f"{row['steps_per_s']:.4g} [{low:.4g}, {high:.4g}]"


def _table(titles: tuple[str, ...], rows: list[tuple]) -> list[str]:
    cells = [[f"{v:.3g}" if isinstance(v, float) else str(v).replace("|", "/") for v in row] for row in rows]
    lines = ["| " + " | ".join(row) + " |" for row in [list(titles), ["---"] * len(titles), *cells]]
    return [*lines, ""] if rows else []
