"""Scores images that no GAN generated: real digits (the floor), few classes, copies, noise.

    python scripts/metric_sanity.py                      # downloads MNIST
    python scripts/metric_sanity.py --data-dir DIR       # with the original archives in DIR instead of a download

Every row compares 10,000 images with the same 10,000 training images, as `gan-jax evaluate` does.
"""

from pathlib import Path

import numpy as np
import tyro

from gan_jax.data import Source, open_source
from gan_jax.evaluation import protocol, tables
from gan_jax.evaluation.inputs import (
    EvalInputs,
    LabeledImages,
    Reference,
    compute_features,
    read_images,
    subset_indices,
)
from gan_jax.evaluation.suite import compute_scores, parse_metrics
from gan_jax.metrics.features.mnist import mnist
from gan_jax.metrics.features.network import Images

SAMPLES = 10_000
METRICS = "fid,kid,is,prdc,modes,ndb,duplicates,memorized"


def main(data_dir: Path | None = None, samples: int = SAMPLES) -> None:
    """Prints a table in Markdown.

    Args:
        data_dir: Folder with the original archives of MNIST.
        samples: Number of images in every row.
    """
    train, test = (open_source("mnist", data_dir, split) for split in ("train", "test"))
    net, reference = mnist(), Reference("train", train, lambda: test)
    real, metrics, found = reference.features(net, samples), parse_metrics(METRICS), []
    for name, images in sets(train, test, samples).items():
        common = protocol.make_protocol(net, real, reference, len(images), train.shape, {"files": True})
        scores = compute_scores(metrics, EvalInputs(net, compute_features(net, LabeledImages(images)), real, reference))
        found.append(protocol.stamp({"name": name}, scores, protocol.per_metric(metrics, common)))
    print(tables.markdown(tables.rows(found)))
    print(protocol.describe(common))


def sets(train: Source, test: Source, n: int) -> dict[str, Images]:
    """Makes the sets of images by their descriptions."""
    random = np.random.RandomState(1)
    held_out = read_images(test, subset_indices(test.size, n)).images
    n = len(held_out)
    others, labels, _ = read_images(
        train, random.permutation(np.setdiff1d(np.arange(train.size), subset_indices(train.size, n)))
    )
    gray = random.randint(-30, 31, held_out.shape)
    return {
        "test digits": held_out,
        "other training digits": others[:n],
        "the training digits themselves": read_images(train, subset_indices(train.size, n)).images,
        "test digits, gray levels moved by up to 30": np.clip(held_out + gray, 0, 255).astype(np.uint8),
        "other training digits, 0 to 4 alone": others[labels < 5][:n],
        "100 test digits, over and over": np.resize(held_out[:100], held_out.shape),
        "one test digit, over and over": np.repeat(held_out[:1], n, axis=0),
        "noise": random.randint(0, 256, held_out.shape).astype(np.uint8),
    }


if __name__ == "__main__":
    tyro.cli(main)
