"""Stacked-MNIST: three digits as the color channels of one image, a distribution with 1,000 known modes."""

import numpy as np
from jaxtyping import Int

from gan_jax.data.modality import spec_of
from gan_jax.data.source import Examples, Source, stored
from gan_jax.errors import BadInput

PREFIX = "stacked:"
"""Prefix of the name of a source of digits: `stacked:mnist5k`."""

TRIPLES = 128_000
"""Number of images, as in Lin et al. 2018, "PacGAN", https://arxiv.org/abs/1712.04086."""

SIDE, SIZES = 28, (28, 32)


def stack_digits(digits: Source, n: int = TRIPLES, size: int = SIDE, seed: int = 0) -> Source:
    """Makes `n` images `[size, size, 3]`, each of three digits drawn with replacement as red, green and blue channel.

    Digits a, b, c have the label 100 a + 10 b + c and the class "abc". The draw depends on the seed of numpy's
    `RandomState` only, whose stream never changes (NEP 19). Size 32 pads each image with two black pixels.

    Raises:
        BadInput: `size` is not 28 or 32, or the digits are not 28 x 28, not gray or not of ten classes.

    Metz et al. 2017, "Unrolled generative adversarial networks", https://arxiv.org/abs/1611.02163.
    """
    if size not in SIZES:
        raise BadInput(f"stacked digits of {size}x{size} are not supported: give --image-size 28 or 32")
    if digits.shape != (SIDE, SIDE, 1):
        raise BadInput(f"{digits.name} has examples of shape {digits.shape}: stack gray digits of shape (28, 28, 1)")
    if len(digits.classes) != 10:
        raise BadInput(f"{digits.name} has {len(digits.classes)} classes, not ten: stack digits labeled 0 to 9")
    triples = np.random.RandomState(seed).randint(digits.size, size=(n, 3), dtype=np.int32)
    margin = (size - SIDE) // 2

    def read(indices: Int[np.ndarray, " B"]) -> Examples:
        drawn = digits.read(triples[indices].ravel())
        x = np.moveaxis(drawn["x"].reshape(-1, 3, SIDE, SIDE), 1, -1)
        x = np.pad(x, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
        return {"x": x, "y": drawn["y"].reshape(-1, 3) @ np.array([100, 10, 1], np.int32)}

    modes = tuple(f"{mode:03d}" for mode in range(1000))
    source = stored(f"stacked_{digits.name}", n, spec_of((size, size, 3), labeled=True), read, modes)
    return source._replace(report=digits.report, split=digits.split)
