"""Plays rounds: in each, every way to train plays its steps once, one way after the other."""

from collections.abc import Callable, Mapping
from typing import Any

from bench.worker import Worker

Rows = Mapping[str, dict[str, Any]]
"""What is known of every way to train: at first what `Worker.ready` has returned."""


def play_rounds(
    rows: Rows, workers: Mapping[str, Worker], rounds: int, seconds: float, log: Callable[[str], None]
) -> None:
    """Times every way that is ready, and adds its `rates` (steps per second, one per round) to its row.

    A round begins with another way each time. A way whose process fails leaves the others to go on.
    """
    for way in _ready(rows):
        _choose_steps(rows[way], workers[way], seconds)
    for i in range(rounds):
        ready = _ready(rows)
        first = i % max(1, len(ready))
        for way in ready[first:] + ready[:first]:
            if taken := _seconds(rows[way], workers[way], rows[way]["steps"]):
                rows[way].setdefault("rates", []).append(rows[way]["steps"] / taken)
        log(f"round {i + 1} of {rounds}")


def _ready(rows: Rows) -> list[str]:
    return [way for way, row in rows.items() if not row.keys() & {"failed", "skipped"}]


def _choose_steps(row: dict[str, Any], worker: Worker, seconds: float) -> None:
    """Chooses how many steps take about so many seconds, by the second of two trials."""
    _seconds(row, worker, row["every"])
    taken = _seconds(row, worker, row["every"])
    row["steps"] = row["every"] * max(1, round(seconds / taken)) if taken else 0


def _seconds(row: dict[str, Any], worker: Worker, steps: int) -> float:
    """Plays steps; returns their seconds, 0 if the process has failed."""
    answer = {} if "failed" in row else worker.run(steps)
    taken = answer.pop("seconds", 0.0)
    row |= answer
    return taken
