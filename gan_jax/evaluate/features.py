"""Feature networks: frozen networks through which metrics look at images."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree, UInt8

Images = UInt8[np.ndarray, "N H W C"]
"""What is judged is what can be stored: 8 bits a channel, real or generated."""

BATCH = 256
"""Images in one call of a network: bounds the memory, and every call is the same program with the same bits."""


class FeatureNet(NamedTuple):
    """A network whose features metrics compare. Two scores are comparable only through the same one."""

    name: str
    sha256: str
    """Of the file that its weights come from."""
    resize: str
    """What `apply` does to images before they reach the first layer, in words; part of every protocol."""
    params: PyTree[Array]
    apply: Callable[[PyTree[Array], UInt8[Array, "B H W C"]], Float[Array, "B D"]]
    """`apply(params, images) -> features`, pure; raises `BadInput` for images of a size or channels it cannot take."""
    head: Callable[[PyTree[Array], Float[Array, "B D"]], Float[Array, "B K"]] | None = None
    """`head(params, features) -> logits`, where the network is a classifier too."""
    classes: tuple[str, ...] = ()
    """What the logits stand for."""


class Look(NamedTuple):
    """What a network makes of images."""

    features: Float[np.ndarray, "N D"]
    probabilities: Float[np.ndarray, "N K"] | None
    """Of each class, where the network is a classifier."""


def look(net: FeatureNet, images: Images) -> Look:
    """The features, and the probabilities of the classes, of every image."""

    @jax.jit
    def chunk(params: PyTree[Array], images: UInt8[Array, "B H W C"]) -> tuple[Array, ...]:
        features = net.apply(params, images)
        return (features, jax.nn.softmax(net.head(params, features))) if net.head else (features,)

    n = len(images)
    chunks = []
    for start in range(0, n, BATCH):
        rows = np.arange(start, start + BATCH) % n
        chunks.append(jax.device_get(chunk(net.params, jnp.asarray(images[rows]))))
    features, *probabilities = (np.concatenate(parts)[:n] for parts in zip(*chunks, strict=True))
    return Look(features, *probabilities or [None])
