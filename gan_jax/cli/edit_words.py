"""Parses what `gan-jax edit` is given: strengths, layers, and images to edit."""

import tempfile
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from gan_jax.cli.translate import MODES
from gan_jax.data.modality import IMAGE, Leaf
from gan_jax.errors import BadInput
from gan_jax.evaluation.image_sets import open_named
from gan_jax.training.progress import say

STRENGTHS = 9
"""The number of strengths of a range that does not say it."""


def parse_strengths(word: str) -> list[float]:
    """Parses `-2:2` or, with the number of strengths, `-2:2:5`. Raises `BadInput` for anything else."""
    try:
        low, high, count = [*word.split(":"), STRENGTHS] if word.count(":") == 1 else word.split(":")
        ends = float(low), float(high)
        if int(count) < 2 or not np.isfinite(ends).all():
            raise ValueError
    except ValueError:
        raise BadInput(f"--strength {word} cannot be read: write -2:2, or -2:2:5 for five strengths") from None
    return np.linspace(*ends, int(count)).tolist()


def parse_layers(word: str) -> slice:
    """Parses the layers `0:3`, that is 0, 1 and 2; empty means all. Raises `BadInput` for anything else."""
    first, colon, end = word.partition(":")
    if not word:
        return slice(None)
    if not (colon and first.isdigit() and end.isdigit() and int(first) < int(end)):
        raise BadInput(f"--layers {word} cannot be read: write 0:3 for the layers 0, 1 and 2")
    return slice(int(first), int(end))


def read_inputs(
    where: str, size: int | None, data_dir: Path | None, n: int, leaf: Leaf
) -> dict[str, UInt8[np.ndarray, "H W C"]]:
    """Reads the first `n` images of a file, folder, archive or data set, by name.

    Raises:
        BadInput: they cannot be read, or differ in size or channels from those that the run makes, `leaf`.
    """
    if leaf.modality is not IMAGE:
        raise BadInput(f"this run makes {leaf.modality.describe(leaf.shape)}: leave --inputs out")
    height, width, channels = leaf.shape
    with tempfile.TemporaryDirectory() as scratch:
        found = open_named(where, Path(scratch), size=size, data_dir=data_dir)
        say(f"inputs      {found.report}")
        chosen = dict(list(found.images.items())[:n])
        for name, image in chosen.items():
            if image.size != (width, height) or image.color != (channels == 3):
                was = f"{'a color' if image.color else 'a gray'} image of {image.size[0]}x{image.size[1]}"
                advice = "convert it, or resize it with --image-size"
                raise BadInput(f"{name} is {was}; this run makes {IMAGE.describe(leaf.shape)}: {advice}")
        return {name: image.read(MODES[channels]) for name, image in chosen.items()}
