"""What a metric may look at: images as a feature network sees them, real ones, and the networks that made them."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from gan_jax.data import Source
from gan_jax.errors import BadInput
from gan_jax.metrics import class_shares
from gan_jax.metrics.features.network import FeatureNet, Images, look

Labels = Int[np.ndarray, " N"]


class Labelled(NamedTuple):
    """Images and, where there are some, their labels, and what those mean."""

    images: Images
    labels: Labels | None = None
    classes: tuple[str, ...] = ()


class Seen(NamedTuple):
    """Images, and what a feature network makes of them."""

    labeled: Labelled
    features: Float[np.ndarray, "N D"]
    probabilities: Float[np.ndarray, "N K"] | None
    """Of the network's classes, where it has some."""

    @property
    def images(self) -> Images:
        """As they can be stored."""
        return self.labeled.images

    @property
    def pixels(self) -> Float[np.ndarray, "N P"]:
        """Every image as a row of numbers from 0 to 1."""
        return rows_of(self.images)

    @property
    def predicted(self) -> Labels:
        """The network's most probable class of every image."""
        if self.probabilities is None:
            raise BadInput("the feature network does not classify: choose another metric, or --features with a head")
        return self.probabilities.argmax(axis=1)


def see(net: FeatureNet, shown: Labelled) -> Seen:
    """Images through `net`."""
    return Seen(shown, *look(net, shown.images))


class Networks(NamedTuple):
    """What a trained game can be asked, beyond its samples."""

    path: Callable[[int, float], tuple[Float[np.ndarray, "N D"], Float[np.ndarray, "N D"]]]
    """`path(n, epsilon)`: features of the images at `n` places between latents, and a share `epsilon` further on."""
    scores: Callable[[Labelled], Float[np.ndarray, " N"]]
    """The discriminator's scores of images, and of their labels where it asks for them."""


class Reference(NamedTuple):
    """The real images that samples are compared with."""

    split: str
    source: Source
    held_out: Callable[[], Source]
    """Real images that nobody was trained on; raises `BadInput` where there are none."""
    resized: int | None = None
    """The size that the images of a folder were resized to."""

    def see(self, net: FeatureNet, n: int) -> Seen:
        """`n` of the images through `net`, or all there are."""
        return see(net, read(self.source, chosen(self.source.size, n)))


class EvalInputs(NamedTuple):
    """All that is known of the images that are judged. What is missing raises `BadInput` when a metric asks for it."""

    net: FeatureNet
    fake: Seen
    real_or_none: Seen | None = None
    """As many real images as there are samples, or all there are."""
    reference: Reference | None = None
    networks_or_none: Networks | None = None

    @property
    def real(self) -> Seen:
        """Real images to compare with."""
        if self.real_or_none is None:
            raise BadInput("there is nothing to compare with: name a data set or a folder of real images as well")
        return self.real_or_none

    @property
    def networks(self) -> Networks:
        """The networks of the run."""
        if self.networks_or_none is None:
            raise BadInput("images alone do not say this: give the folder of a run, or leave the metric out")
        return self.networks_or_none

    @property
    def seen_in_training(self) -> Seen:
        """The real images to compare with, where they are training images."""
        if self.real and self.reference.split != "train":
            raise BadInput("this is about training images: leave --split out, or leave the metric out")
        return self.real

    def training(self) -> Labelled:
        """All training images, not only those that are compared with."""
        _ = self.seen_in_training
        return every(self.reference.source)

    def held_out(self, n: int | None = None) -> Labelled:
        """Real images that nobody was trained on, at most `n`."""
        _ = self.real
        source = self.reference.held_out()
        return read(source, chosen(source.size, n or source.size))

    def real_shares(self) -> Float[np.ndarray, " K"]:
        """How frequent each of the network's classes is among real images.

        By the labels of all of them, where those are the network's classes. Otherwise as the network sees those that
        are compared with: few images of many classes then miss some, and no share is exact.
        """
        _ = self.real
        if self.reference.source.classes == self.net.classes:
            return class_shares(every(self.reference.source).labels, len(self.net.classes))
        return class_shares(self.real.predicted, self.real.probabilities.shape[1])


def chosen(size: int, n: int) -> Int[np.ndarray, " n"]:
    """Which of `size` examples are looked at where `n` are wanted: always the same ones, from anywhere in the data."""
    return np.sort(np.random.RandomState(0).permutation(size)[:n])


def every(source: Source) -> Labelled:
    """All images of a source."""
    return read(source, np.arange(source.size))


def read(source: Source, indices: Int[np.ndarray, " n"]) -> Labelled:
    """Those images of a source, with their labels."""
    if not len(indices):
        raise BadInput(f"{source.name} holds no images: give some")
    parts = [source.read(part) for part in np.array_split(indices, -(-len(indices) // 1024))]
    x = np.concatenate([part["x"] for part in parts])
    if x.dtype != np.uint8:
        raise BadInput(f"{source.name} holds points of shape {list(x.shape[1:])}: images can be judged, points cannot")
    return Labelled(x, np.concatenate([part["y"] for part in parts]) if "y" in parts[0] else None, source.classes)


def rows_of(images: Images) -> Float[np.ndarray, "N P"]:
    """Every image as a row of numbers from 0 to 1."""
    return images.reshape(len(images), -1) / 255
