"""What the values of a categorical code have come to mean, where nobody said what they should: pure functions."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from gan_jax.errors import BadInput
from gan_jax.evaluate.classes import Labels, as_labels


class Matching(NamedTuple):
    """Which class every value of a code stands for, and the share of images that are of their value's class."""

    accuracy: float
    classes: Int[np.ndarray, " K"]
    """One for each value 0 to K - 1; -1 for a value that is left over."""


def code_accuracy(codes: Labels, predicted: Labels) -> Matching:
    """The best one-to-one matching of the values of a code to classes.

    No class is matched twice: two values that draw the same class count once. Chen et al. 2016, "InfoGAN", match values
    to digits as well, to classify real images; here another network classifies images that were drawn with `codes`. A
    code that says nothing about K equally frequent classes has an accuracy of 1 / K and, the matching being the best of
    many, a little more.

    Args:
        codes: what every image was drawn with, `[N]`, values 0 to K - 1.
        predicted: the class a classifier sees in it, `[N]`.

    Raises:
        BadInput: there are not as many on either side, or they are no labels (see `classes.as_labels`).
    """
    values, classes = as_labels(codes, "codes"), as_labels(predicted, "predicted")
    if len(values) != len(classes):
        raise BadInput(f"{len(classes)} predicted classes for {len(values)} codes: give one for each")
    counts = np.zeros((values.max() + 1, classes.max() + 1), np.int64)
    np.add.at(counts, (values, classes), 1)
    from scipy.optimize import linear_sum_assignment  # here, for importing it takes a while

    rows, columns = linear_sum_assignment(counts, maximize=True)
    images = counts[rows, columns]
    meaning = np.full(len(counts), -1)
    meaning[rows] = np.where(images > 0, columns, -1)
    return Matching(float(images.sum() / len(values)), meaning)
