"""Chooses an attribute of images by its word: one that their moments measure, or a class of a frozen classifier."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from gan_jax.errors import BadInput
from gan_jax.metrics.features import classifier_file
from gan_jax.metrics.features.network import Images, extract
from gan_jax.metrics.image_moments import ATTRIBUTES


class Attribute(NamedTuple):
    """A number that images have more or less of."""

    name: str
    """Of directions and curves."""
    word: str
    """From which `choose_attribute` makes it again, in any folder."""
    measure: Callable[[Images], Float[np.ndarray, " N"]]


def choose_attribute(word: str, others: str = "") -> Attribute:
    """Returns the attribute of a word: `boldness`, or `FILE.npz:CLASS`, the probability of a class.

    The file is one of `scripts/train_classifier.py`. `others` are further words to choose from, for the message.

    Raises:
        BadInput: the attribute, the file or the class is unknown.
    """
    if word in ATTRIBUTES:
        return Attribute(word, word, ATTRIBUTES[word])
    file, _, name = word.rpartition(".npz:")
    if not file:
        raise BadInput(f"unknown attribute {word!r}: choose {others}{', '.join(ATTRIBUTES)}, or FILE.npz:CLASS")
    path = Path(os.path.abspath(os.path.expanduser(f"{file}.npz")))
    net = classifier_file.load(path)
    if name not in net.classes:
        raise BadInput(f"{path} has no class {name!r}: choose one of {', '.join(net.classes)}")
    index = net.classes.index(name)
    return Attribute(
        re.sub(r"[^\w.-]+", "-", f"{path.stem}-{name}"),
        f"{path}:{name}",
        lambda images: extract(net, images).probabilities[:, index],
    )
