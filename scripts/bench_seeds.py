"""Times many seeds in one program: steps per second of 1, 4 and 16 seeds, and the time to compile.

    python scripts/bench_seeds.py

Prints a Markdown table. A chunk is 500 steps of the ring experiment; the second and third are timed.
"""

import time

import jax
import tyro

from gan_jax.config.discovery import find
from gan_jax.data import open_source
from gan_jax.engine.parallel import make_mesh
from gan_jax.sweep.batched_runs import BatchedRuns, trainable
from gan_jax.sweep.grid import combinations

CHUNK = 500


def main(seeds: tuple[int, ...] = (1, 4, 16), exact: bool = False) -> None:
    """Times the ring experiment.

    Args:
        seeds: Numbers of seeds, one row each.
        exact: Train seeds one after the other in one program, instead of side by side.
    """
    load, source = find("ring").load, open_source("ring")
    print("| seeds in one program | seconds to the first chunk's end | steps/s | seeds x steps/s |\n|---|---|---|---|")
    for n in seeds:
        [cell] = combinations(load, ["--images", str(3 * CHUNK * 128)], {}, "ring")
        player = trainable(BatchedRuns(load(), source, [cell], range(n), exact, make_mesh()))
        start = time.monotonic()
        times = []
        for _, state, _ in player.chunks(0, player.fresh(0)):
            jax.block_until_ready(state)
            times.append(time.monotonic() - start)
        rate = 2 * CHUNK / (times[2] - times[0])
        print(f"| {n} | {times[0]:.1f} | {rate:.1f} | {n * rate:.0f} |", flush=True)


if __name__ == "__main__":
    tyro.cli(main)
