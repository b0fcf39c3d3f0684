"""A small image classifier: frozen features of MNIST, and the classifier of the classification accuracy score.

Layers: a 5 x 5 convolution to 16 maps and a 3 x 3 convolution to 32 maps, `SAME`, each with SiLU and 2 x 2 average
pooling; a Dense layer of 128 units with SiLU, whose activations are the features; a Dense head with dropout. All layers
are smooth, so small changes of an image change its features little. Training uses AdamW with a cosine schedule and
random shifts of up to two pixels.

Modeled on LeNet-5: LeCun et al. 1998, "Gradient-based learning applied to document recognition".
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Float, Int, Key, Num, PyTree

from gan_jax.engine.game import Keys
from gan_jax.metrics.features.fitting import BATCH, check_labels, fit
from gan_jax.metrics.features.network import FeatureNet, Images, extract
from gan_jax.nets.layers.convolution import Conv
from gan_jax.nets.layers.dropout import Dropout

SHIFT = 2
"""Maximum random shift of a training image, in pixels in each direction; the border is filled with black."""

Params = PyTree[Array]


class Classifier(nn.Module):
    """Images `[B, H, W, C]` in [0, 1] to logits `[B, classes]`: `head(features(x))`."""

    classes: int

    def setup(self) -> None:
        """Creates the layers."""
        init = nn.initializers.he_normal()
        self.conv1, self.conv2 = Conv(16, 5, kernel_init=init), Conv(32, 3, kernel_init=init)
        self.dense, self.dropout, self.out = nn.Dense(128, kernel_init=init), Dropout(0.5), nn.Dense(self.classes)

    def features(self, x: Float[Array, "B H W C"]) -> Float[Array, "B 128"]:
        """Computes the activations of the last hidden layer."""
        for conv in (self.conv1, self.conv2):
            x = pooled(nn.silu(conv(x)))
        return nn.silu(self.dense(x.reshape(x.shape[0], -1)))

    def head(self, features: Float[Array, "B 128"], keys: Keys | None = None) -> Float[Array, "B K"]:
        """Computes logits from features; `keys`, one per example, turn dropout on."""
        return self.out(self.dropout(features, keys))

    def __call__(self, x: Float[Array, "B H W C"], keys: Keys | None = None) -> Float[Array, "B K"]:
        """Computes logits from images."""
        return self.head(self.features(x), keys)


def pooled(x: Float[Array, "B H W C"]) -> Float[Array, "B H_out W_out C"]:
    """Averages blocks of 2 x 2 pixels; drops the last row or column if their number is odd."""
    b, h, w, c = x.shape
    return x[:, : h // 2 * 2, : w // 2 * 2].reshape(b, h // 2, 2, w // 2, 2, c).mean((2, 4))


def scaled(pixels: Num[Array, "B H W C"]) -> Float[Array, "B H W C"]:
    """Scales 0 ... 255 to [0, 1], so that the zero padding of the convolutions is black."""
    return pixels.astype(jnp.float32) / 255


def features(params: Params, pixels: Num[Array, "B H W C"]) -> Float[Array, "B 128"]:
    """Computes the features of images with pixels from 0 to 255."""
    return _network(params).apply({"params": params}, scaled(pixels), method="features")


def head(params: Params, features: Float[Array, "B 128"]) -> Float[Array, "B K"]:
    """Computes logits from features."""
    return _network(params).apply({"params": params}, features, method="head")


def _network(params: Params) -> Classifier:
    return Classifier(params["out"]["bias"].size)


def train_classifier(
    images: Images,
    labels: Int[np.ndarray, "_"],
    classes: int,
    key: Key[Array, ""],
    epochs: int = 12,
) -> Params:
    """Trains a `Classifier` and returns its parameters, which depend on the arguments only.

    Each epoch uses N // 128 batches of 128 images in a new random order; the remaining images are skipped.

    Args:
        images: `[N, H, W, C]` uint8.
        labels: `[N]`, from 0 to `classes` - 1.
        classes: the number of classes.
        key: determines the initial parameters, the order of the images, the shifts and the dropout.
        epochs: the number of passes over the images.

    Raises:
        BadInput: there are fewer than 128 images, not as many labels as images, or a label is out of range.
    """
    check_labels(labels, len(images), classes)
    network = Classifier(classes)

    def loss(
        params: Params, data: tuple[Array, Array], rows: Int[Array, " B"], key: Key[Array, ""]
    ) -> Float[Array, ""]:
        x, y = data
        shifts, drops = (jax.random.split(k, BATCH) for k in jax.random.split(key))
        logits = network.apply({"params": params}, jax.vmap(_shifted)(scaled(x[rows]), shifts), drops)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y[rows]).mean()

    start, *passes = jax.random.split(key, 1 + epochs)
    x, y = jnp.asarray(images), jnp.asarray(labels, jnp.int32)
    return fit(loss, network.init(start, scaled(x[:1]))["params"], (x, y), len(images), passes)


def accuracy(params: Params, images: Images, labels: Int[np.ndarray, " N"]) -> float:
    """Computes the share of images whose most probable class is their label."""
    probabilities = extract(FeatureNet("classifier", "", "", params, features, head), images).probabilities
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def _shifted(x: Float[Array, "H W C"], key: Key[Array, ""]) -> Float[Array, "H W C"]:
    """Shifts one image by up to `SHIFT` pixels in each direction."""
    start = jax.random.randint(key, (2,), 0, 2 * SHIFT + 1)
    return lax.dynamic_slice(jnp.pad(x, ((SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0))), (*start, 0), x.shape)
