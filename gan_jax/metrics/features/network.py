"""The type of a feature network, and its application to images, sounds or videos in batches."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num, PyTree, UInt8

from gan_jax.data.modality import IMAGE, Modality

Images = UInt8[np.ndarray, "N H W C"]
"""Real or generated images in 8 bits: scores are those of the images that a user stores."""

Pixels = Float[Array, "B H W C"]
"""Input of a network of images, values from 0 to 255: integers, except for images along a latent path."""

Values = Float[Array, "B ..."]
"""Input of any network: the values of examples as they are stored."""

BATCH = 64
"""Examples per call of a network: bounds the memory, and all calls run one compiled program."""


class FeatureNet(NamedTuple):
    """A frozen network that computes features. Scores are comparable only if they use the same network."""

    name: str
    sha256: str
    """The sha256 of the file of weights."""
    resize: str
    """A description of how `apply` resizes and scales examples; part of every protocol."""
    params: PyTree[Array]
    apply: Callable[[PyTree[Array], Values], Float[Array, "B D"]]
    """`apply(params, values) -> features`, pure; raises `BadInput` for examples of an unsupported shape."""
    head: Callable[[PyTree[Array], Float[Array, "B D"]], Float[Array, "B K"]] | None = None
    """`head(params, features) -> logits`; None if the network is not a classifier."""
    classes: tuple[str, ...] = ()
    """The names of the classes, in the order of the logits."""
    kind: Modality = IMAGE
    """The kind of the examples; of sounds also their rate."""
    label: str = "y"
    """The label that the classes are of, where examples have several: `speaker`."""


class NetworkOutputs(NamedTuple):
    """The outputs of a feature network for N examples."""

    features: Float[np.ndarray, "N D"]
    probabilities: Float[np.ndarray, "N K"] | None
    """Class probabilities; None if the network is not a classifier."""


def extract(net: FeatureNet, examples: Num[np.ndarray, "N ..."]) -> NetworkOutputs:
    """Computes the features and class probabilities of examples with values as they are stored, 0 to 255 of pixels."""
    chunk, n, chunks = _chunk(net.apply, net.head), len(examples), []
    for start in range(0, n, BATCH):
        rows = np.arange(start, start + BATCH) % n
        with jax.default_matmul_precision("highest"):  # the default would make scores depend on the device
            chunks.append(jax.device_get(chunk(net.params, jnp.asarray(examples[rows], jnp.float32))))
    features, *probabilities = (np.concatenate(parts)[:n] for parts in zip(*chunks, strict=True))
    return NetworkOutputs(features, *probabilities or [None])


@functools.cache
def _chunk(apply: Callable, head: Callable | None) -> Callable:
    """Compiles features and class probabilities as one function; cached, so that each network compiles once."""

    @jax.jit
    def chunk(params: PyTree[Array], values: Values) -> tuple[Array, ...]:
        features = apply(params, values)
        return (features, jax.nn.softmax(head(params, features))) if head else (features,)

    return chunk
