"""What a metric may look at: images as a feature network sees them, and the networks that made them."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from gan_jax.data import Source
from gan_jax.errors import BadInput
from gan_jax.evaluate.features import FeatureNet, Images, look


class Seen(NamedTuple):
    """Images, and what a feature network makes of them."""

    images: Images
    labels: Int[np.ndarray, " N"] | None
    features: Float[np.ndarray, "N D"]
    probabilities: Float[np.ndarray, "N K"] | None
    """Of the network's classes, where it has some."""

    @property
    def pixels(self) -> Float[np.ndarray, "N P"]:
        """Every image as a row of numbers from 0 to 1."""
        return self.images.reshape(len(self.images), -1) / 255

    @property
    def classes(self) -> Int[np.ndarray, " N"]:
        """The most probable class of every image."""
        if self.probabilities is None:
            raise BadInput("the feature network does not classify: choose another metric, or --features with a head")
        return self.probabilities.argmax(axis=1)


def see(net: FeatureNet, images: Images, labels: Int[np.ndarray, " N"] | None = None) -> Seen:
    """`images` through `net`."""
    return Seen(images, labels, *look(net, images))


class Networks(NamedTuple):
    """What a trained game can be asked, beyond its samples."""

    path: Callable[[int, float], tuple[Float[np.ndarray, "N D"], Float[np.ndarray, "N D"]]]
    """`path(n, epsilon)`: features of the images at `n` places between latents, and a share `epsilon` further on."""
    scores: Callable[[Images, Int[np.ndarray, " N"] | None], Float[np.ndarray, " N"]]
    """The discriminator's scores of images and, where it asks for them, their labels."""


class Reference(NamedTuple):
    """The real images that samples are compared with."""

    split: str
    source: Source
    held_out: Callable[[], Source]
    """Real images that nobody was trained on; raises `BadInput` where there are none."""


class Evidence(NamedTuple):
    """All that is known of the images that are judged. What is missing raises `BadInput` when a metric asks for it."""

    fake: Seen
    real_or_none: Seen | None
    """As many real images as there are samples, or all there are."""
    reference: Reference | None
    networks_or_none: Networks | None

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

    def every_real(self) -> Images:
        """All real images, not only those that are compared with."""
        _ = self.real
        return read(self.reference.source, np.arange(self.reference.source.size))[0]

    def held_out(self, n: int | None = None) -> tuple[Images, Int[np.ndarray, " N"] | None]:
        """Real images that nobody was trained on, and their labels; at most `n`."""
        _ = self.real
        source = self.reference.held_out()
        return read(source, chosen(source.size, n or source.size))


def look_at(reference: Reference, net: FeatureNet, n: int) -> Seen:
    """`n` real images through `net`, or all there are."""
    return see(net, *read(reference.source, chosen(reference.source.size, n)))


def chosen(size: int, n: int) -> Int[np.ndarray, " n"]:
    """Which of `size` examples are looked at where `n` are wanted: always the same ones, from anywhere in the data."""
    return np.sort(np.random.RandomState(0).permutation(size)[:n])


def read(source: Source, indices: Int[np.ndarray, " n"]) -> tuple[Images, Int[np.ndarray, " n"] | None]:
    """Those images of a source, and their labels where it has some."""
    parts = [source.read(part) for part in np.array_split(indices, -(-len(indices) // 1024))]
    x = np.concatenate([part["x"] for part in parts])
    if x.dtype != np.uint8:
        raise BadInput(f"{source.name} holds points of shape {list(x.shape[1:])}: images can be judged, points cannot")
    return x, np.concatenate([part["y"] for part in parts]) if "y" in parts[0] else None
