"""Inputs of metrics: images and their features, real images to compare with, and probes of the trained networks."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from gan_jax.data import Source
from gan_jax.data.modality import IMAGE
from gan_jax.data.source import read_as_bytes
from gan_jax.errors import BadInput
from gan_jax.metrics import class_shares
from gan_jax.metrics.features.network import FeatureNet, Images, extract

Labels = Int[np.ndarray, " N"]

CHUNK = 256
"""Images that are read at once, at most."""


class LabeledImages(NamedTuple):
    """8-bit images `[N, H, W, C]` with optional labels `[N]` and the names of their classes."""

    images: Images
    labels: Labels | None = None
    classes: tuple[str, ...] = ()


class Features(NamedTuple):
    """Images with the outputs of a feature network."""

    labeled: LabeledImages
    features: Float[np.ndarray, "N D"]
    probabilities: Float[np.ndarray, "N K"] | None
    """Class probabilities; None for a network without a head."""

    @property
    def images(self) -> Images:
        """The 8-bit images."""
        return self.labeled.images

    @property
    def pixels(self) -> Float[np.ndarray, "N P"]:
        """The images as rows of numbers in [0, 1]."""
        return flatten_images(self.images)

    @property
    def predicted(self) -> Labels:
        """The most probable class of every image. Raises `BadInput` for a network without a head."""
        if self.probabilities is None:
            raise BadInput("the feature network has no classes: choose another metric, or --features with a head")
        return self.probabilities.argmax(axis=1)


def compute_features(net: FeatureNet, labeled: LabeledImages) -> Features:
    """Applies a feature network to images."""
    return Features(labeled, *extract(net, labeled.images))


class Probes(NamedTuple):
    """Functions that compute inputs of metrics from a trained game, besides its samples."""

    path: Callable[[int, float], tuple[Float[np.ndarray, "N D"], Float[np.ndarray, "N D"]]]
    """`path(n, epsilon)`: features of images at `n` points on paths between latents, and `epsilon` further."""
    scores: Callable[[LabeledImages], Float[np.ndarray, " N"]]
    """The discriminator's logits of images (and their labels, if it is conditional)."""


class Reference(NamedTuple):
    """The real images that samples are compared with."""

    split: str
    """The split that was read; of data without splits, which is training data, the one asked for."""
    source: Source
    held_out: Callable[[], Source]
    """Opens the real images that no run was trained on; raises `BadInput` if there are none."""
    resized: int | None = None
    """The side in pixels to which images of a folder were resized."""

    def features(self, net: FeatureNet, n: int) -> Features:
        """Computes the features of at most `n` images."""
        return compute_features(net, read_images(self.source, subset_indices(self.source.size, n)))


class EvalInputs(NamedTuple):
    """Everything a metric may use. Missing parts raise `BadInput` on access."""

    net: FeatureNet
    fake: Features
    real_or_none: Features | None = None
    """As many real images as samples, or all there are."""
    reference: Reference | None = None
    probes_or_none: Probes | None = None

    @property
    def real(self) -> Features:
        """The features of real images."""
        if self.real_or_none is None:
            raise BadInput("there are no real images to compare with: give a data set or a folder of real images")
        return self.real_or_none

    @property
    def probes(self) -> Probes:
        """The probes of the run's networks."""
        if self.probes_or_none is None:
            raise BadInput(
                "this metric needs a run whose samples are drawn from noise: give its folder, or leave the metric out"
            )
        return self.probes_or_none

    @property
    def training_subset(self) -> Features:
        """The features of real images, which must be training images."""
        if self.real and self.reference.split != "train":
            raise BadInput("this metric needs training images: leave --split out, or leave the metric out")
        return self.real

    def training(self) -> LabeledImages:
        """Reads all training images, not only those in `real`."""
        _ = self.training_subset
        return read_all(self.reference.source)

    def held_out(self, n: int | None = None) -> LabeledImages:
        """Reads real images that no run was trained on, at most `n`."""
        _ = self.real
        source = self.reference.held_out()
        return read_images(source, subset_indices(source.size, n or source.size))

    def real_shares(self) -> Float[np.ndarray, " K"]:
        """Computes the share of each of the network's classes among real images.

        Counts the labels of the whole reference if their classes are the network's. Otherwise counts predictions on
        `real`, a small subset in which rare classes may be missing.
        """
        _ = self.real
        if self.reference.source.classes == self.net.classes:
            return class_shares(read_all(self.reference.source).labels, len(self.net.classes))
        return class_shares(self.real.predicted, self.real.probabilities.shape[1])


def subset_indices(size: int, n: int) -> Int[np.ndarray, " n"]:
    """Draws `n` of `size` indices, or all, in rising order; always the same ones. Data may be sorted by class."""
    return np.sort(np.random.RandomState(0).permutation(size)[:n])


def read_all(source: Source) -> LabeledImages:
    """Reads all images of a source."""
    return read_images(source, np.arange(source.size))


def read_images(source: Source, indices: Int[np.ndarray, " n"]) -> LabeledImages:
    """Reads the images of a source at `indices` in 8 bits, as they are trained on, with their labels.

    Raises:
        BadInput: there are none, or the examples are of another kind.
    """
    if not len(indices):
        raise BadInput(f"{source.name} holds no images: give some")
    if (leaf := source.spec["x"]).modality.name != IMAGE.name:
        raise BadInput(f"{source.name} holds {leaf.modality.describe(leaf.shape)}: only images can be evaluated")
    parts = [read_as_bytes(source, part) for part in np.array_split(indices, -(-len(indices) // CHUNK))]
    x = np.concatenate([part["x"] for part in parts])
    y = np.concatenate([part["y"] for part in parts]) if "y" in parts[0] else None
    return LabeledImages(x, y, source.classes)


def flatten_images(images: Images) -> Float[np.ndarray, "N P"]:
    """Flattens 8-bit images to rows of numbers in [0, 1]."""
    return images.reshape(len(images), -1) / 255
