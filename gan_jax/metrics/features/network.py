"""Feature networks: frozen networks through which metrics look at images."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num, PyTree, UInt8

Images = UInt8[np.ndarray, "N H W C"]
"""What is judged is what can be stored: 8 bits a channel, real or generated."""

Pixels = Float[Array, "B H W C"]
"""What a network is given: numbers from 0 to 255, whole ones but for images on the path between two latents."""

BATCH = 64
"""Images in one call of a network: bounds the memory, and every call is the same program with the same bits."""


class FeatureNet(NamedTuple):
    """A network whose features metrics compare. Two scores are comparable only through the same one."""

    name: str
    sha256: str
    """Of the file that its weights come from."""
    resize: str
    """What `apply` does to images before they reach the first layer, in words; part of every protocol."""
    params: PyTree[Array]
    apply: Callable[[PyTree[Array], Pixels], Float[Array, "B D"]]
    """`apply(params, pixels) -> features`, pure; raises `BadInput` for images of a size or channels it cannot take."""
    head: Callable[[PyTree[Array], Float[Array, "B D"]], Float[Array, "B K"]] | None = None
    """`head(params, features) -> logits`, where the network is a classifier too."""
    classes: tuple[str, ...] = ()
    """What the logits stand for."""


class Look(NamedTuple):
    """What a network makes of images."""

    features: Float[np.ndarray, "N D"]
    probabilities: Float[np.ndarray, "N K"] | None
    """Of each class, where the network is a classifier."""


def look(net: FeatureNet, images: Num[np.ndarray, "N H W C"]) -> Look:
    """The features, and the probabilities of the classes, of every image; values from 0 to 255."""
    chunk, n, chunks = _chunk(net.apply, net.head), len(images), []
    for start in range(0, n, BATCH):
        rows = np.arange(start, start + BATCH) % n
        with jax.default_matmul_precision("highest"):  # or scores would depend on the machine
            chunks.append(jax.device_get(chunk(net.params, jnp.asarray(images[rows], jnp.float32))))
    features, *probabilities = (np.concatenate(parts)[:n] for parts in zip(*chunks, strict=True))
    return Look(features, *probabilities or [None])


@functools.cache
def _chunk(apply: Callable, head: Callable | None) -> Callable:
    """The two functions of a network as one program, compiled once for all that is looked at."""

    @jax.jit
    def chunk(params: PyTree[Array], pixels: Pixels) -> tuple[Array, ...]:
        features = apply(params, pixels)
        return (features, jax.nn.softmax(head(params, features))) if head else (features,)

    return chunk
