"""Replays the monitors on the records of finished runs: one row per run.

    python scripts/replay_monitors.py runs/families/*

For choosing thresholds: the table also shows how near healthy runs are to three symptoms.
"""

import argparse
from pathlib import Path

import numpy as np

from gan_jax.monitoring.diagnostics import discriminators, is_calibrated, named, series, tells_apart
from gan_jax.monitoring.monitor import Monitor
from gan_jax.runs.run_dir import Record, RunDir


def longest_ahead(records: list[Record], accuracy: float = 0.99) -> int:
    """Returns the most consecutive chunks in which a discriminator, of a calibrated loss, told real from fake."""
    longest = 0
    for move in discriminators(records[-1]):
        length = 0
        for record in records:
            ahead = is_calibrated(record, move) and tells_apart(record, move, accuracy)
            length = length + 1 if ahead else 0
            longest = max(longest, length)
    return longest


def largest_jump(records: list[Record], before: int = 10) -> float:
    """Returns the largest norm as a multiple of the median of earlier ones."""
    jumps = [0.0]
    for name in named(records, "/grad_norm", "/update_norm"):
        norms = series(records, name)
        jumps += [norms[i] / max(np.median(norms[:i]), 1e-12) for i in range(before, len(norms))]
    return max(jumps)


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    args = parser.parse_args()
    print(
        "| run | chunks | d ahead in a row | largest norm over median | least diversity ratio since the best | found |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for run in args.runs:
        records, monitor = RunDir(run).records(), Monitor()
        for record in records:
            monitor.update(record)
        diversity = series(records, "diversity_ratio")
        least = f"{diversity[diversity.argmax() :].min():.2f}" if len(diversity) else ""
        found = ", ".join(dict.fromkeys(finding.symptom for finding in monitor.findings)) or "nothing"
        near = f"{longest_ahead(records)} | {largest_jump(records):.1f} | {least}"
        print(f"| `{run.name}` | {len(records)} | {near} | {found} |")


if __name__ == "__main__":
    main()
