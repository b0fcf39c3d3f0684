"""The games that are timed, each by the words of its `gan-jax train` command, and their data."""

from pathlib import Path

import numpy as np

from gan_jax.data import Source, from_arrays, open_source
from twins import games

FULL = ("--preset", "full", "--batch-size", "64")

COMMANDS = {
    "mnist_mlp": ("mnist_mlp",),
    "mnist_dcgan": ("mnist_dcgan",),
    "dcgan small": ("dcgan",),
    "dcgan full": ("dcgan", *FULL),
    "wgan_gp full": ("wgan_gp", *FULL),
    "hinge full": ("hinge", *FULL),
}
TINY = ("--batch-size", "4", "--log-every", "2")
TOY_COMMANDS = {
    "mnist_mlp": ("mnist_mlp", *TINY),
    "mnist_dcgan": ("mnist_dcgan", *TINY),
    "dcgan small": ("dcgan", *TINY, "--g-width", "2", "--d-width", "2"),
    "dcgan full": ("dcgan", *TINY, "--preset", "full", "--g-width", "4", "--d-width", "4"),
    "wgan_gp full": ("wgan_gp", *TINY, "--preset", "full", "--g-width", "4", "--d-width", "4", "--n-critic", "1"),
    "hinge full": ("hinge", *TINY, "--preset", "full", "--g-width", "4", "--d-width", "4", "--n-critic", "1"),
}


def build(name: str, source: Source, dtype: str, toy: bool) -> games.Built:
    """Builds a game of the table, its networks computing in `dtype`."""
    return games.build((TOY_COMMANDS if toy else COMMANDS)[name], source, dtype)


def open_data(file: Path | None) -> Source:
    """Opens the file of `save_data`, or makes 5,000 random images."""
    if file is None:
        images = np.random.default_rng(0).integers(0, 256, (5000, 28, 28, 1), np.uint8)
        return from_arrays("random images", images)
    with np.load(file) as arrays:
        return from_arrays(file.stem, arrays["images"], arrays["labels"], tuple("0123456789"))


def save_data(file: Path) -> None:
    """Writes mnist5k as uint8 `images` `[N, 28, 28, 1]` and `labels` `[N]`."""
    source = open_source("mnist5k")
    examples = source.read(np.arange(source.size))
    np.savez_compressed(file, images=examples["x"], labels=examples["y"])
    print(f"wrote {source.size} images to {file}")
