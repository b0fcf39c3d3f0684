"""Trains a frozen feature network of images 28 x 28 x 1, and prints its accuracy.

    python scripts/train_mnist_features.py --out gan_jax/metrics/features/weights/mnist.npz
    python scripts/train_mnist_features.py --data fashion_mnist --out fashion_mnist.npz

The first command wrote the file in the package. Its sha256 is pinned as `gan_jax.metrics.features.mnist.SHA256`. Its
accuracy is 99.39 % on the 10,000 test images and 99.60 % on the 60,000 training images. It took 4.5 minutes of
processor time with jax 0.10.2 on a CPU; another machine may round differently, and obtain other weights of the same
accuracy.

    network     conv 5 x 5, 16 maps; SiLU; 2 x 2 means; conv 3 x 3, 32 maps; SiLU; 2 x 2 means; Dense 128; SiLU: the
                features; Dense 10. Convolutions `SAME`; kernels drawn by He's rule, the head's by LeCun's
    images      divided by 255; in training shifted by up to 2 pixels in each direction, black moving in
    optimizer   AdamW, weight decay 1e-4, learning rate 2e-3 falling to 0 along a cosine; cross entropy
    training    12 epochs in batches of 128, dropout 0.5 on the features, key 0

The file is an uncompressed `.npz` of float32 arrays, by the names of their parameters, with `name` and `classes`.
"""

from pathlib import Path

import jax
import numpy as np
import tyro

from gan_jax.data import open_source
from gan_jax.errors import BadInput
from gan_jax.metrics.features import classifier, mnist

SEED = 0


def main(out: Path, data: str = "mnist", data_dir: Path | None = None) -> None:
    """Writes the weights, and prints their sha256 and accuracy.

    Args:
        out: The file to write.
        data: Data set of labeled images 28 x 28 x 1.
        data_dir: Folder with its original archives, instead of a download.
    """
    train, test = (open_source(data, data_dir, split) for split in ("train", "test"))
    if train.shape != (28, 28, 1) or not train.classes:
        raise BadInput(f"{data} has no labeled images 28 x 28 x 1, but {list(train.shape)}: choose another data set")
    examples = train.read(np.arange(train.size))
    params = classifier.train_classifier(examples["x"], examples["y"], len(train.classes), jax.random.key(SEED))
    sha256 = mnist.save(out, data, train.classes, params)
    for source in (train, test):
        examples = source.read(np.arange(source.size))
        print(f"accuracy on {source.size} images: {classifier.accuracy(params, examples['x'], examples['y']):.4f}")
    print(f"sha256 {sha256}, {out.stat().st_size} bytes")


if __name__ == "__main__":
    tyro.cli(main)
