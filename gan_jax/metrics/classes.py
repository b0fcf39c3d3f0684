"""Scores of class labels: requested ones, and those predicted by a classifier (its argmax).

The protocol of Stacked MNIST, whose 1,000 classes are known, is `mode_count` and `reverse_kl_classes` (Srivastava et
al. 2017, "VEEGAN"; Lin et al. 2018, "PacGAN"). Both depend on the number of images: compare at equal numbers only.

https://arxiv.org/abs/1705.07761 (VEEGAN), https://arxiv.org/abs/1712.04086 (PacGAN)
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Int, Shaped

from gan_jax.aliases import old_names
from gan_jax.errors import BadInput

__getattr__ = old_names(__name__)

Labels = Shaped[np.ndarray, " N"] | Shaped[Array, " N"]
"""Class of every image, 0 to K - 1, of any integer type."""

OtherLabels = Shaped[np.ndarray, " M"] | Shaped[Array, " M"]
"""Labels of a second set of images."""


def as_labels(y: Labels, name: str) -> Int[np.ndarray, " N"]:
    """Converts `y` to int64.

    Raises:
        BadInput: `y` is not `[N]`, is empty, or does not hold integers of at least 0.
    """
    y = np.asarray(y)
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise BadInput(
            f"{name}: labels must be integers [N], not {y.dtype} {list(y.shape)}: "
            "take the argmax of probabilities, and flatten"
        )
    if not len(y):
        raise BadInput(f"{name}: there are no labels: give at least one")
    if y.min() < 0:
        raise BadInput(f"{name}: label {y.min()} is below 0: count classes from 0")
    return y.astype(np.int64)


def class_shares(labels: Labels, classes: int) -> Float[np.ndarray, " K"]:
    """Computes the share of every class, `[classes]`.

    Raises:
        BadInput: a label is `classes` or more.
    """
    y = as_labels(labels, "labels")
    if y.max() >= classes:
        raise BadInput(f"labels: label {y.max()} is not one of {classes} classes, 0 to {classes - 1}: raise classes")
    return np.bincount(y, minlength=classes) / len(y)


def mode_count(labels: Labels) -> int:
    """Counts the classes with at least one image."""
    return len(np.unique(as_labels(labels, "labels")))


def reverse_kl_classes(labels: Labels, reference_shares: Float[np.ndarray, " K"]) -> float:
    """Computes KL(q || p) = sum over classes of q log(q / p), in nats.

    q are the shares of `labels`, p those of the reference, `[K]`.

    0 for equal shares; infinite if a class of some image has no share in the reference. A class without images
    contributes 0; it shows only in the larger shares of the other classes. For N images drawn from p the expected
    value is about (K - 1) / 2N, for N well above K.

    Raises:
        BadInput: the reference shares are negative or do not sum to 1, or a label is not one of the K classes.
    """
    p = np.asarray(reference_shares, np.float64)
    if not (p >= 0).all() or abs(p.sum() - 1) > 1e-6:
        raise BadInput(f"reference shares must be at least 0 and sum to 1, not to {p.sum():.6g}: divide by their sum")
    q = class_shares(labels, len(p))
    hit = q > 0
    with np.errstate(divide="ignore"):
        return float(np.sum(q[hit] * np.log(q[hit] / p[hit])))


def label_accuracy(predicted: Labels, asked: Labels) -> float:
    """Computes the share of images whose predicted class is the requested one.

    Raises:
        BadInput: the numbers of labels differ.
    """
    y, wanted = as_labels(predicted, "predicted"), as_labels(asked, "asked")
    if len(y) != len(wanted):
        raise BadInput(f"{len(y)} predicted and {len(wanted)} requested labels: give one of each per image")
    return float(np.mean(y == wanted))


class Matching(NamedTuple):
    """The class matched to every value of a code, and the share of images of the matched class."""

    accuracy: float
    classes: Int[np.ndarray, " K"]
    """Class of each value 0 to K - 1; -1 for an unmatched value."""


def code_accuracy(codes: Labels, predicted: Labels) -> Matching:
    """Finds the best one-to-one matching of the values of a code to classes.

    If two values generate the same class, only one of them counts. A code that is independent of K equally frequent
    classes has an accuracy slightly above 1 / K, because the matching is fitted to the images.

    Args:
        codes: the code that every image was generated from, `[N]`, values 0 to K - 1.
        predicted: the class of every image by a classifier, `[N]`.

    Raises:
        BadInput: the numbers of codes and classes differ, or either are not labels (see `as_labels`).

    Chen et al. 2016, "InfoGAN", https://arxiv.org/abs/1606.03657, match values to digits in order to classify
    real images; here a separate network classifies generated ones.
    """
    values, classes = as_labels(codes, "codes"), as_labels(predicted, "predicted")
    if len(values) != len(classes):
        raise BadInput(f"{len(classes)} predicted classes for {len(values)} codes: give one for each")
    counts = np.zeros((values.max() + 1, classes.max() + 1), np.int64)
    np.add.at(counts, (values, classes), 1)
    from scipy.optimize import linear_sum_assignment  # late: the import is slow

    rows, columns = linear_sum_assignment(counts, maximize=True)
    images = counts[rows, columns]
    meaning = np.full(len(counts), -1)
    meaning[rows] = np.where(images > 0, columns, -1)
    return Matching(float(images.sum() / len(values)), meaning)
