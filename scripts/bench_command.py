"""Times what `gan-jax train` adds to the steps it plays: metrics, TensorBoard, previews, scores, checkpoints, digests.

    python scripts/bench_command.py --rounds 5

In every round the demo's run is trained into a folder, and then its chunks of steps are played again by themselves.
Prints the milliseconds per step of both: medians, with the smallest and the largest. They count from the first record
after the first preview, whose programs are compiled once, to the last one. The curves and the animation at the end of a
run are not part of them.
"""

import statistics
import tempfile
import time
from pathlib import Path

import jax
import tyro

from gan_jax.config.discovery import find
from gan_jax.config.experiment import Experiment, schedule_phases
from gan_jax.config.flags import parse
from gan_jax.data import Source, open_source
from gan_jax.engine.parallel import make_mesh
from gan_jax.runs.run_dir import RunDir
from gan_jax.training.train import chunks, new_state, train

DEMO = ("projection", "--images", "36000", "--sample-every", "375")
"""The words of the command of `make demo`."""


def main(rounds: int = 5) -> None:
    """Times a run and its bare chunks.

    Args:
        rounds: Runs of each.
    """
    row, *flags = DEMO
    source = open_source("mnist5k")
    make = find(row).load(flags)
    experiment = make(source, **parse(make, flags, row, given=["source"]).kwargs)
    times = [(time_run(experiment, source), time_chunks(experiment, source)) for _ in range(rounds)]
    for name, values in zip(("gan-jax train", "its chunks"), zip(*times, strict=True), strict=True):
        print(f"{name:14} {spread(values)} ms per step")
    print(f"{'ratio':14} {spread([run / bare for run, bare in times])}")


def time_run(experiment: Experiment, source: Source) -> float:
    """Trains a run into a new folder; returns milliseconds per step."""
    with tempfile.TemporaryDirectory() as folder:
        run = RunDir(Path(folder))
        run.samples.mkdir()
        train(experiment, source, run)
        ends = [(record["step"], record["seconds"]) for record in run.records()]
    return per_step(ends, experiment)


def time_chunks(experiment: Experiment, source: Source) -> float:
    """Plays the same chunks, and writes nothing; returns milliseconds per step."""
    [stage] = schedule_phases(experiment)
    state, ends = new_state(stage.game, source, experiment.common), []
    for step, _, metrics in chunks(stage, state, experiment.common, source, make_mesh()):
        jax.block_until_ready(metrics)
        ends.append((step, time.monotonic()))
    return per_step(ends, experiment)


def per_step(ends: list[tuple[int, float]], experiment: Experiment) -> float:
    """Computes milliseconds per step from the steps and times at which chunks ended."""
    (first, began), *_, (last, ended) = [end for end in ends if end[0] > experiment.common.sample_every]
    return 1e3 * (ended - began) / (last - first)


def spread(values: tuple[float, ...] | list[float]) -> str:
    """Formats the median, the smallest and the largest."""
    return f"{statistics.median(values):.3g} [{min(values):.3g}, {max(values):.3g}]"


if __name__ == "__main__":
    tyro.cli(main)
