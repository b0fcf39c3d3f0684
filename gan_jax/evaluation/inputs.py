"""Inputs of metrics: examples and their features, real ones to compare with, and probes of the trained networks."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Int16, UInt8

from gan_jax.data import Source
from gan_jax.data.modality import AUDIO, IMAGE, LABEL, VIDEO, Modality
from gan_jax.data.source import read_rounded
from gan_jax.errors import BadInput
from gan_jax.metrics import class_shares
from gan_jax.metrics.features.network import FeatureNet, Images, extract

Examples = UInt8[np.ndarray, "N ..."] | Int16[np.ndarray, "N ..."]
"""Real or generated examples as they are stored: images and videos in 8 bits, sounds in 16."""

Labels = Int[np.ndarray, " N"]

SCORED = (IMAGE.name, VIDEO.name, AUDIO)
"""The kinds of examples that have scores."""

CHUNK = 256
"""Examples that are read at once, at most."""


class LabeledExamples(NamedTuple):
    """Stored examples `[N, ...]` of a kind with optional labels `[N]` and the names of their classes."""

    examples: Examples
    labels: Labels | None = None
    classes: tuple[str, ...] = ()
    kind: Modality = IMAGE
    others: Mapping[str, Labels] = MappingProxyType({})
    """Further labels by name, such as `speaker`, whose classes have no names."""


class Features(NamedTuple):
    """Examples with the outputs of a feature network."""

    labeled: LabeledExamples
    features: Float[np.ndarray, "N D"]
    probabilities: Float[np.ndarray, "N K"] | None
    """Class probabilities; None for a network without a head."""

    @property
    def examples(self) -> Examples:
        """The examples as they are stored."""
        return self.labeled.examples

    @property
    def rows(self) -> Float[np.ndarray, "N _"]:
        """A row of numbers for every example, in which copies lie close: its pixels in [0, 1], or its features.

        Sounds and videos are compared by features, as a copy may begin at another place.
        """
        return flatten_images(self.examples) if self.labeled.kind == IMAGE else self.features

    @property
    def predicted(self) -> Labels:
        """The most probable class of every example. Raises `BadInput` for a network without a head."""
        if self.probabilities is None:
            raise BadInput("the feature network has no classes: choose another metric, or --features with a head")
        return self.probabilities.argmax(axis=1)


def compute_features(net: FeatureNet, labeled: LabeledExamples) -> Features:
    """Applies a feature network to examples. Raises `BadInput` if it is one for another kind, or another rate."""
    if labeled.kind != net.kind:
        what = f"the feature network {net.name} is for {net.kind.words}, not for {labeled.kind.words}"
        raise BadInput(f"{what}: choose another in --features")
    return Features(labeled, *extract(net, labeled.examples))


class Probes(NamedTuple):
    """Functions that compute inputs of metrics from a trained game, besides its samples."""

    path: Callable[[int, float], tuple[Float[np.ndarray, "N D"], Float[np.ndarray, "N D"]]]
    """`path(n, epsilon)`: features of images at `n` points on paths between latents, and `epsilon` further."""
    scores: Callable[[LabeledExamples], Float[np.ndarray, " N"]]
    """The discriminator's logits of examples (and their labels, if it is conditional)."""


class Reference(NamedTuple):
    """The real examples that samples are compared with."""

    split: str
    """The split that was read; of data without splits, which is training data, the one asked for."""
    source: Source
    held_out: Callable[[], Source]
    """Opens the real examples that no run was trained on; raises `BadInput` if there are none."""
    resized: int | None = None
    """The side in pixels to which images of a folder were resized."""

    def features(self, net: FeatureNet, n: int) -> Features:
        """Computes the features of at most `n` examples."""
        return compute_features(net, read_examples(self.source, subset_indices(self.source.size, n)))


class EvalInputs(NamedTuple):
    """Everything a metric may use. Missing parts raise `BadInput` on access."""

    net: FeatureNet
    fake: Features
    real_or_none: Features | None = None
    """As many real examples as samples, or all there are."""
    reference: Reference | None = None
    probes_or_none: Probes | None = None

    @property
    def real(self) -> Features:
        """The features of real examples."""
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
        """The features of real examples, which must be training examples."""
        if self.real and self.reference.split != "train":
            raise BadInput("this metric needs training images: leave --split out, or leave the metric out")
        return self.real

    def training_rows(self) -> Float[np.ndarray, "M _"]:
        """Computes the rows of all training examples, not only of those in `real`."""
        _ = self.training_subset
        parts = read_parts(self.reference.source)
        if self.net.kind == IMAGE:
            return np.concatenate([flatten_images(part.examples) for part in parts])
        return np.concatenate([extract(self.net, part.examples).features for part in parts])

    def held_out(self, n: int | None = None) -> LabeledExamples:
        """Reads real examples that no run was trained on, at most `n`."""
        _ = self.real
        source = self.reference.held_out()
        return read_examples(source, subset_indices(source.size, n or source.size))

    def real_shares(self) -> Float[np.ndarray, " K"]:
        """Computes the share of each of the network's classes among real examples.

        Counts the labels of the whole reference if their classes are the network's. Otherwise counts predictions on
        `real`, a small subset in which rare classes may be missing.
        """
        _ = self.real
        if self.reference.source.classes == self.net.classes:
            labels = np.concatenate([part.labels for part in read_parts(self.reference.source)])
            return class_shares(labels, len(self.net.classes))
        return class_shares(self.real.predicted, self.real.probabilities.shape[1])


def subset_indices(size: int, n: int) -> Int[np.ndarray, " n"]:
    """Draws `n` of `size` indices, or all, in rising order; always the same ones. Data may be sorted by class."""
    return np.sort(np.random.RandomState(0).permutation(size)[:n])


def read_all(source: Source) -> LabeledExamples:
    """Reads all examples of a source."""
    return read_examples(source, np.arange(source.size))


def read_examples(source: Source, indices: Int[np.ndarray, " n"]) -> LabeledExamples:
    """Reads the examples `x` of a source at `indices` as they are trained on, rounded as stored, with their labels.

    Raises:
        BadInput: there are none, or the examples are of a kind that has no scores.
    """
    parts = list(read_parts(source, indices))
    first = parts[0]
    return first._replace(
        examples=np.concatenate([part.examples for part in parts]),
        labels=None if first.labels is None else np.concatenate([part.labels for part in parts]),
        others={name: np.concatenate([part.others[name] for part in parts]) for name in first.others},
    )


def read_parts(source: Source, indices: Int[np.ndarray, " n"] | None = None) -> Iterator[LabeledExamples]:
    """Reads examples as `read_examples` does, by default all, `CHUNK` at a time."""
    indices, leaf = np.arange(source.size) if indices is None else indices, source.spec["x"]
    if not len(indices):
        raise BadInput(f"{source.name} holds no {leaf.modality.plural}: give some")
    if leaf.modality.name not in SCORED:
        what = f"{source.name} holds {leaf.modality.describe(leaf.shape)}"
        raise BadInput(f"{what}: only images, videos and sounds can be evaluated")
    others = [name for name, each in source.spec.items() if each.modality == LABEL and name != "y"]
    for part in np.array_split(indices, -(-len(indices) // CHUNK)):
        read = read_rounded(source, part)
        further = {name: read[name] for name in others}
        yield LabeledExamples(read["x"], read.get("y"), source.classes, leaf.modality, further)


def flatten_images(images: Images) -> Float[np.ndarray, "N P"]:
    """Flattens 8-bit images to rows of numbers in [0, 1]."""
    return images.reshape(len(images), -1) / 255
