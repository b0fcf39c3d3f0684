"""Replays the monitors on the records of finished runs: one row per run.

    python scripts/replay_monitors.py runs/families/*

For choosing thresholds: the table also shows how near healthy runs are to three symptoms.
"""

import argparse
from pathlib import Path

import numpy as np

from gan_jax.monitoring.diagnostics import named, series
from gan_jax.monitoring.monitor import Monitor
from gan_jax.runs.run_dir import Record, RunDir


def longest_right(records: list[Record], right: float = 0.99) -> int:
    """Returns the most consecutive chunks in which a discriminator was right about real and fake examples."""
    longest = 0
    for name in named(records, "/accuracy_real"):
        length = 0
        for pair in zip(series(records, name), series(records, name.replace("_real", "_fake")), strict=True):
            length = length + 1 if min(pair) >= right else 0
            longest = max(longest, length)
    return longest


def largest_jump(records: list[Record], before: int = 10) -> float:
    """Returns the largest norm as a multiple of the median of earlier ones."""
    jumps = [0.0]
    for name in named(records, "/grad_norm"):
        norms = series(records, name)
        jumps += [norms[i] / max(np.median(norms[:i]), 1e-12) for i in range(before, len(norms))]
    return max(jumps)


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    args = parser.parse_args()
    heads = "d accurate in a row | largest norm over median | least diversity ratio since the best"
    print(f"| run | chunks | {heads} | found |")
    print("| --- | --- | --- | --- | --- | --- |")
    for run in args.runs:
        records, monitor = RunDir(run).records(), Monitor()
        for record in records:
            monitor.update(record)
        diversity = series(records, "diversity_ratio")
        least = f"{diversity[diversity.argmax() :].min():.2f}" if len(diversity) else ""
        found = ", ".join(dict.fromkeys(finding.symptom for finding in monitor.findings)) or "nothing"
        near = f"{longest_right(records)} | {largest_jump(records):.1f} | {least}"
        print(f"| `{run.name}` | {len(records)} | {near} | {found} |")


if __name__ == "__main__":
    main()
