"""Frozen feature networks for MNIST and Stacked MNIST, with weights in the package (0.8 MB).

`mnist` is a `classifier.Classifier` trained by `scripts/train_classifier.py`; the docstring of that script states the
protocol and the test accuracy.

Scores on these features are not comparable with scores on Inception features or on those of another MNIST classifier.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Num

from gan_jax.metrics.features import classifier
from gan_jax.metrics.features.classifier import Params
from gan_jax.metrics.features.classifier_file import RESIZE, checked, load
from gan_jax.metrics.features.network import FeatureNet

WEIGHTS = Path(__file__).parent / "weights" / "mnist.npz"

SHA256 = "e0d89110a1784f30a517ee1504c6502d97af3e6a7c0a4c31a597be24488adf66"
"""The sha256 of `WEIGHTS`: other weights would give other scores under the same name."""

RESIZE_STACKED = f"each of 3 channels as an image of its own: {RESIZE}"


def mnist() -> FeatureNet:
    """Loads the network for MNIST, `[N, 28, 28, 1]` (or padded to 32 x 32): 128 features, 10 classes.

    Raises:
        BadInput: the weights in the package are missing or modified.
    """
    return load(WEIGHTS, SHA256)


def stacked_mnist() -> FeatureNet:
    """Loads the network for Stacked MNIST, `[N, 28, 28, 3]` (or padded to 32 x 32): `mnist` on every channel.

    The 384 features are those of the three channels, concatenated. The 1,000 classes are the numbers 000 to 999, with
    the hundreds in the first channel; the log probability of a class is the sum of the log probabilities of its digits.

    Raises:
        BadInput: as `mnist`.

    Metz et al. 2017, "Unrolled generative adversarial networks", https://arxiv.org/abs/1611.02163; Srivastava et al.
    2017, "VEEGAN", https://arxiv.org/abs/1705.07761.
    """
    classes = tuple(f"{number:03}" for number in range(1000))
    return mnist()._replace(
        name="stacked_mnist", resize=RESIZE_STACKED, apply=_stacked_features, head=_stacked_head, classes=classes
    )


def _stacked_features(params: Params, pixels: Num[Array, "B H W C"]) -> Float[Array, "B D"]:
    each = jnp.moveaxis(checked(pixels, (28, 28, 3)), -1, 1).reshape(-1, 28, 28, 1)
    return classifier.features(params, each).reshape(pixels.shape[0], -1)


def _stacked_head(params: Params, features: Float[Array, "B D"]) -> Float[Array, "B K"]:
    digits = jax.nn.log_softmax(classifier.head(params, features.reshape(3 * features.shape[0], -1)))
    first, second, third = jnp.moveaxis(digits.reshape(-1, 3, 10), 1, 0)
    return (first[:, :, None, None] + second[:, None, :, None] + third[:, None, None, :]).reshape(-1, 1000)
