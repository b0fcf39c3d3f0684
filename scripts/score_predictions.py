"""Prints the scores of predicted frames, step by step, beside those of the last frame given, copied.

gan-jax sample runs/nextframe-0 --n 256 --out predictions.npz
python scripts/score_predictions.py predictions.npz
"""

import argparse
from pathlib import Path

import numpy as np

from gan_jax.metrics.prediction import prediction_scores


def main() -> None:
    """Prints a row for every step ahead, and their means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("predictions", type=Path, help="file written by gan-jax sample")
    with np.load(parser.parse_args().predictions) as arrays:
        scores = prediction_scores(arrays["video"], arrays["x"], arrays["inputs"].shape[1])
    print("step  " + "  ".join(scores))
    rows = {str(i + 1): values for i, values in enumerate(zip(*scores.values(), strict=True))}
    for step, values in {**rows, "mean": [each.mean() for each in scores.values()]}.items():
        print(f"{step:>4}  " + "  ".join(f"{value:{len(name)}.3f}" for name, value in zip(scores, values, strict=True)))


if __name__ == "__main__":
    main()
