"""Do labelled samples of a conditional GAN help a classifier? Test accuracy with and without them, over seeds.

    gan-jax train projection --data mnist5k:500 --seed 0 --run-dir runs/few-0      # and seeds 1, 2
    python scripts/augmentation.py runs/few-0 runs/few-1 runs/few-2

For every run a classifier is trained three times, for equally many steps: on the images that the run was trained on, on
these and samples, half and half, and on samples alone. Prints a Markdown table, runs that differ in their seed in one
row, and before it what each run came to.
"""

import sys
import time
from pathlib import Path
from typing import Annotated

import jax
import tyro

from gan_jax.augmentation import accuracies, labelled_samples, results
from gan_jax.data import open_source
from gan_jax.flags import PositiveInt
from gan_jax.judge import table
from gan_jax.judge.evidence import every
from gan_jax.trained import restore


def main(
    runs: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN ...")],
    samples: PositiveInt = 10_000,
    steps: PositiveInt = 2000,
    test: str = "mnist",
    data_dir: Path | None = None,
) -> None:
    """Prints the table.

    Args:
        runs: Folders of runs of conditional games.
        samples: Drawn from every run, as many of each class.
        steps: Of every training of the classifier, 128 images each, rounded up to whole passes.
        test: The data set that the classifier is tested on, by its test split.
        data_dir: Folder with the original archives of that data set, instead of a download.
    """
    held_out, found = every(open_source(test, data_dir, split="test")), []
    for folder in runs:
        start = time.monotonic()
        run = restore(folder)
        common = run.experiment.common
        source = open_source(common.data, common.data_dir, size=common.image_size)
        shares = accuracies(every(source), labelled_samples(run, samples), held_out, jax.random.key(common.seed), steps)
        found.append(results(run, source.name, shares))
        told = ", ".join(f"{way} {share:.4f}" for way, share in shares.items())
        print(f"{folder}: {told}; {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    print(table.markdown(table.rows(found)))
    print(
        f"Accuracy on the {len(held_out.images):,} test images of {test} in percent, mean ± standard deviation over "
        f"runs, of a classifier trained for {steps:,} steps, rounded up to whole passes; {samples:,} samples of each "
        "run. gain: real + generated less real, run by run."
    )


if __name__ == "__main__":
    tyro.cli(main)
