"""A process of its own for every way to train: it prepares the game, then plays steps when asked, and else is idle."""

import importlib
import json
import multiprocessing
import os
import resource
import sys
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from bench.contender import Missing
from bench.games import CONTENDERS

ENVIRONMENT = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}

TOLERANCE = 1e-4
"""Largest relative difference of a loss of the first step from the reference's."""


class Worker:
    """The other end of the process."""

    def __init__(self, name: str, game: Path, threads: int):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, name, game, threads))
        self.process.start()
        theirs.close()  # otherwise its end would not be seen here

    def ready(self) -> dict[str, Any]:
        """Waits until the game is prepared: what was found, or why it cannot be timed (`failed` or `skipped`)."""
        return self._receive()

    def run(self, steps: int) -> dict[str, Any]:
        """Plays steps; returns their `seconds`, and the process's `peak_mb` so far."""
        self.pipe.send(steps)
        return self._receive()

    def close(self) -> None:
        """Ends the process."""
        self.pipe.close()
        self.process.join(10)
        self.process.kill()

    def _receive(self) -> dict[str, Any]:
        try:
            return self.pipe.recv()
        except EOFError:
            self.process.join()
            return {"failed": f"the process ended with exit code {self.process.exitcode}"}


def serve(pipe: Connection, name: str, game: Path, threads: int) -> None:
    """Prepares a game, and plays steps until the pipe is closed."""
    os.environ.update(ENVIRONMENT)
    if hasattr(os, "sched_setaffinity"):  # XLA has as many threads as the process has cores
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    try:
        contender, found = prepare(name, game, threads)
        pipe.send(found)
        while True:
            steps, begin = pipe.recv(), time.perf_counter()
            contender.run(steps)
            pipe.send({"seconds": time.perf_counter() - begin, "peak_mb": peak_mb()})
    except (EOFError, ConnectionError):
        pass  # the other end is closed
    except (ImportError, Missing) as error:
        pipe.send({"skipped": str(error)})
    except Exception as error:
        traceback.print_exc()
        pipe.send({"failed": f"{type(error).__name__}: {str(error)[:500]}"})


def prepare(name: str, game: Path, threads: int) -> tuple[Any, dict[str, Any]]:
    """Builds a game, asserts that its first losses are the reference's, and plays its first steps."""
    begin, way = time.perf_counter(), CONTENDERS[name]
    module = importlib.import_module(f"bench.{way.module}")
    if limit := getattr(module, "limit", None):
        limit(threads)
    imported = peak_mb()
    spec = json.loads(game.with_suffix(".json").read_text())
    with np.load(game.with_suffix(".npz")) as file:
        contender = module.make(spec, dict(file), **way.options)
    losses = contender.first_losses()
    error = max(abs(losses[player] / loss - 1) for player, loss in spec["losses"].items())
    assert error <= TOLERANCE, f"the first losses are {losses}, of the reference {spec['losses']}"
    contender.run(contender.every)
    found = {"first_losses": losses, "error": error, "every": contender.every, "ready_s": time.perf_counter() - begin}
    return contender, found | {"imported_mb": imported, "peak_mb": peak_mb()}


def peak_mb() -> float:
    """Returns the largest memory of the process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
