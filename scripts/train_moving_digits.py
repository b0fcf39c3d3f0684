"""Trains the frozen network of videos, and prints its accuracy.

    python scripts/train_moving_digits.py --out gan_jax/metrics/features/weights/moving_digits.npz

This command wrote the file in the package, whose sha256 is pinned in `gan_jax.metrics.features.moving_digits`. Of
10,000 clips of test digits, 88.2 % of the digits and 84.1 % of the four directions are right, of as many of training
digits 87.1 % and 83.9 %: two passes are few. It took 10 minutes of processor time with jax 0.10.2 on a CPU; another
machine may round differently, and obtain other weights of the same accuracy.

    network      see `gan_jax.metrics.features.moving_digits`; kernels drawn by He's rule, the heads' by LeCun's
    videos       Moving MNIST, 16 frames of 32x32, other paths in every epoch; pixels in [0, 1]
    optimizer    AdamW, weight decay 1e-4, learning rate 2e-3 falling to 0 along a cosine; cross entropies of
                 the digit and, their mean, of the four directions
    training     2 epochs of 60,000 digits in batches of 128, dropout 0.25 on the features
"""

from pathlib import Path

import jax
import numpy as np
import tyro

from gan_jax.config.flags import PositiveInt, Seed
from gan_jax.data import open_source
from gan_jax.evaluation.inputs import read_examples, subset_indices
from gan_jax.metrics.features import moving_digits
from gan_jax.metrics.features.network import extract

TESTED = 10_000


def main(
    out: Path, data: str = "moving:mnist", data_dir: Path | None = None, epochs: PositiveInt = 2, seed: Seed = 0
) -> None:
    """Writes the weights, and prints their sha256 and accuracy.

    Args:
        out: The file to write.
        data: Data set of moving digits, with a split test.
        data_dir: Folder with its original archives, instead of a download.
        epochs: Passes over the digits.
        seed: Seed of the weights, the order of the digits, their paths and the dropout.
    """
    train, test = (open_source(data, data_dir, split) for split in ("train", "test"))
    sha256 = moving_digits.save(out, moving_digits.train(train, jax.random.key(seed), epochs))
    net = moving_digits.load(out)
    for source in (train, test):
        clips, labels, *_ = read_examples(source, subset_indices(source.size, TESTED))
        features, probabilities = extract(net, clips)
        right = probabilities.argmax(axis=1) == labels
        turns = np.asarray(moving_digits.heading(net.params, features)).argmax(-1)
        wanted = np.concatenate([moving_digits.moving_to(part / np.float32(255)) for part in np.array_split(clips, 40)])
        print(f"accuracy on {len(clips)} clips: digit {right.mean():.4f}, directions {np.mean(turns == wanted):.4f}")
    print(f"sha256 {sha256}, {out.stat().st_size} bytes")


if __name__ == "__main__":
    tyro.cli(main)
