"""Keeps the results of all games, and writes them as JSON and as Markdown."""

import argparse
import json
import os
import platform
import statistics
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.games import CONTENDERS, GAMES

PROTOCOL = """
- Every way to train has its own process, idle while another one runs. In every round each plays steps for about the
  same time, one way after the other. Rates are medians over rounds, with the smallest and the largest; a ratio is of
  the rates of one round, and its median, smallest and largest are over rounds.
- All have the same number of threads: XLA's by the cores of the process, TensorFlow's intra-op and inter-op, PyTorch's
  intra-op.
- Equal parameter counts are asserted, and equal losses of the first step on equal weights and inputs (without
  dropout). `difference` is the largest relative one. TensorFlow's step is compared uncompiled. gan_jax's is the
  reference.
- The same 5,000 digits in memory, one permutation of them after the other. gan_jax: the loop of `gan-jax train`, chunks
  of steps with their metrics, data on the device. TensorFlow: the step in one `tf.function`, with the fused kernels of
  Adam and of batch norm. PyTorch: fused Adam; `compile` is of both networks, and a gradient penalty stays eager.
- Where the row has a moving average, all keep one; Keras's is of every update of the generator, the others' of every
  step.
- Memory: the largest resident set of the process, after imports and after all rounds, compilation included.
"""


class Report:
    """The results so far."""

    def __init__(self, args: argparse.Namespace):
        self.out, self.begin, self.seconds = args.out, time.monotonic(), 60 * args.minutes
        settings = {"threads": args.threads, "rounds": args.rounds, "seconds": args.seconds, "toy": args.toy}
        self.results: dict[str, Any] = {"machine": machine(), "settings": settings, "protocol": PROTOCOL, "games": {}}
        self.log(f"{self.results['machine']} {settings}")

    def left(self) -> float:
        """Returns the seconds that are left."""
        return self.seconds - (time.monotonic() - self.begin)

    def log(self, line: str) -> None:
        """Prints a line with the seconds since the start."""
        print(f"[{time.monotonic() - self.begin:6.1f} s] {line}", flush=True)

    def begin_game(self, name: str, spec: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Adds a game; returns its rows, by the way to train."""
        about = {key: spec[key] for key in ("words", "batch", "turns", "parameters", "losses", "ema")}
        self.results["games"][name] = {"about": GAMES[name].about, "bar": GAMES[name].bar, **about, "rows": {}}
        return self.results["games"][name]["rows"]

    def end_game(self, name: str) -> None:
        """Adds medians and ratios, and writes both files."""
        game = self.results["games"][name]
        for row in game["rows"].values():
            if "rates" in row:
                row["steps_per_s"] = statistics.median(row["rates"])
        game |= ratio(game["rows"])
        self.results["seconds"] = time.monotonic() - self.begin
        self.out.parent.mkdir(parents=True, exist_ok=True)
        self.out.write_text(json.dumps(self.results, indent=1) + "\n")
        self.out.with_suffix(".md").write_text(self.markdown())

    def failed(self) -> bool:
        """Whether a way to train has failed, be it in its comparison with the reference."""
        return any("failed" in row for game in self.results["games"].values() for row in game["rows"].values())

    def markdown(self) -> str:
        """Formats the results as tables: all games, then the ways to train of each."""
        games = self.results["games"]
        machine = ", ".join(f"{name} {value}" for name, value in self.results["machine"].items())
        lines = [f"# Training steps on a CPU: {machine}", "", *table(SUMMARY, map(summary, games, games.values()))]
        for name, game in games.items():
            words = " ".join(game["words"])
            lines += [f"## {name}: {game['about']}", "", f"`gan-jax train {words}`, batches of {game['batch']}", ""]
            lines += table(DETAILS, (details(way, game) for way in game["rows"]))
        return "\n".join(lines) + PROTOCOL


def ratio(rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Compares gan_jax with the best of the others: their rates in the same round; empty without either."""
    ours, *_ = CONTENDERS
    others = [way for way, row in rows.items() if not CONTENDERS[way].ours and "steps_per_s" in row]
    if not others or "steps_per_s" not in rows.get(ours, {}):
        return {}
    best = max(others, key=lambda way: rows[way]["steps_per_s"])
    ratios = [a / b for a, b in zip(rows[ours]["rates"], rows[best]["rates"], strict=False)]
    return {"best": best, "ratio": statistics.median(ratios), "ratios": ratios}


SUMMARY = ("game", "gan_jax, steps/s", "best of the others", "steps/s", "ratio", "aim", "peak MB", "best's peak MB")


def summary(name: str, game: dict[str, Any]) -> tuple:
    """Makes a game's row of the first table."""
    if "best" not in game:
        return (name, *(7 * ("",)))
    ours, best = game["rows"][next(iter(CONTENDERS))], game["rows"][game["best"]]
    ratios = f"{game['ratio']:.2f} [{min(game['ratios']):.2f}, {max(game['ratios']):.2f}]"
    peaks = (f"{ours['peak_mb']:.0f}", f"{best['peak_mb']:.0f}")
    return name, spread(ours), game["best"], spread(best), ratios, f"{game['bar']:.2f}", *peaks


DETAILS = ("way to train", "steps/s", "ms a step", "gan_jax / it", "difference", "MB imported", "MB peak", "ready in s")


def details(way: str, game: dict[str, Any]) -> tuple:
    """Makes the row of a way to train."""
    row = game["rows"][way]
    if "steps_per_s" not in row:
        why = next((f"{word}: {row[word]}" for word in ("skipped", "failed") if word in row), "not timed")
        return way, why, *(6 * ("",))
    ours = game["rows"].get(next(iter(CONTENDERS)), {}).get("steps_per_s")
    relative = f"{ours / row['steps_per_s']:.2f}" if ours else ""
    rest = (f"{row['error']:.1g}", f"{row['imported_mb']:.0f}", f"{row['peak_mb']:.0f}", f"{row['ready_s']:.0f}")
    return way, spread(row), f"{1e3 / row['steps_per_s']:.3g}", relative, *rest


def spread(row: dict[str, Any]) -> str:
    """Formats a rate with the smallest and the largest over rounds."""
    return f"{row['steps_per_s']:.4g} [{min(row['rates']):.4g}, {max(row['rates']):.4g}]"


def table(titles: tuple[str, ...], rows) -> list[str]:
    """Formats a table in Markdown."""
    cells = [titles, ("---",) * len(titles), *rows]
    return ["| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in cells] + [""]


def machine() -> dict[str, Any]:
    """Describes the processor, its load before the start, and the packages."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    described = {"processor": models[0] if models else platform.machine(), "cores": os.cpu_count()}
    described |= {"load": os.getloadavg()[0], "python": platform.python_version()}
    return described | {name: found for name in PACKAGES if (found := _version(name))}


PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy", "tensorflow", "tensorflow-cpu", "keras", "torch")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
