"""A small classifier of small images: the frozen network of the digits, and the judge of labeled samples.

Convolutions of 16 maps (5 x 5) and of 32 (3 x 3), `SAME`, a SiLU and 2 x 2 average pooling after each; a Dense layer of
128 units with a SiLU, whose activations are the features; a Dense head. All of it is smooth, so that features move as
images do. It is trained by AdamW with a cosine schedule on images shifted by up to two pixels, with dropout before the
head.

A descendant of LeNet-5, LeCun et al. 1998, "Gradient-based learning applied to document recognition".
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Float, Int, Key, Num, PyTree, UInt8

from gan_jax.engine.game import Keys
from gan_jax.errors import BadInput
from gan_jax.metrics.features.network import FeatureNet, Images, look
from gan_jax.nets.layers.convolution import Conv
from gan_jax.nets.layers.dropout import Dropout

BATCH = 128
LEARNING_RATE = 2e-3
"""At first; it falls to 0."""

SHIFT = 2
"""Pixels, in either direction, by which training moves an image; what moves in is black."""

Params = PyTree[Array]


class Classifier(nn.Module):
    """Images in [0, 1] to logits; `features` and `head` are its two halves."""

    classes: int

    def setup(self) -> None:
        """The layers."""
        init = nn.initializers.he_normal()
        self.conv1, self.conv2 = Conv(16, 5, kernel_init=init), Conv(32, 3, kernel_init=init)
        self.dense, self.dropout, self.out = nn.Dense(128, kernel_init=init), Dropout(0.5), nn.Dense(self.classes)

    def features(self, x: Float[Array, "B H W C"]) -> Float[Array, "B 128"]:
        """What the last hidden layer makes of images."""
        for conv in (self.conv1, self.conv2):
            x = _pooled(nn.silu(conv(x)))
        return nn.silu(self.dense(x.reshape(x.shape[0], -1)))

    def head(self, features: Float[Array, "B 128"], keys: Keys | None = None) -> Float[Array, "B K"]:
        """Logits of features; with `keys`, one per example, under dropout."""
        return self.out(self.dropout(features, keys))

    def __call__(self, x: Float[Array, "B H W C"], keys: Keys | None = None) -> Float[Array, "B K"]:
        """Logits of images."""
        return self.head(self.features(x), keys)


def _pooled(x: Float[Array, "B H W C"]) -> Float[Array, "B H_out W_out C"]:
    """The means of 2 x 2 pixels; a last odd row or column is left out."""
    b, h, w, c = x.shape
    return x[:, : h // 2 * 2, : w // 2 * 2].reshape(b, h // 2, 2, w // 2, 2, c).mean((2, 4))


def scaled(pixels: Num[Array, "B H W C"]) -> Float[Array, "B H W C"]:
    """0 ... 255 to [0, 1]: what the convolutions pad with is then the black around a digit."""
    return pixels.astype(jnp.float32) / 255


def features(params: Params, pixels: Num[Array, "B H W C"]) -> Float[Array, "B 128"]:
    """The activations of the last hidden layer; pixels from 0 to 255."""
    return _network(params).apply({"params": params}, scaled(pixels), method="features")


def head(params: Params, features: Float[Array, "B 128"]) -> Float[Array, "B K"]:
    """The logits of features."""
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
    """The parameters after so many passes over `images`, in an order that `key` draws; the same for the same key.

    Batches are of 128; what an epoch leaves over waits for another epoch's order.

    Args:
        images: `[N, H, W, C]`, 8 bits a channel.
        labels: `[N]`, from 0 to `classes` - 1.
        classes: how many logits there are.
        key: draws the initial parameters, orders, shifts and dropout.
        epochs: passes over the images.

    Raises:
        BadInput: fewer than 128 images, or labels that are not of `classes`.
    """
    n, steps = len(images), len(images) // BATCH
    if not steps:
        raise BadInput(f"{n} images are too few to train a classifier, at least {BATCH} are needed: draw more")
    if len(labels) != n or labels.min() < 0 or labels.max() >= classes:
        raise BadInput(f"every one of {n} images needs a label from 0 to {classes - 1}: check the labels")
    network = Classifier(classes)
    tx = optax.adamw(optax.cosine_decay_schedule(LEARNING_RATE, epochs * steps))

    def loss(params: Params, x: Float[Array, "B H W C"], y: Int[Array, " B"], keys: Keys) -> Float[Array, ""]:
        logits = network.apply({"params": params}, x, keys)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    @partial(jax.jit, donate_argnums=0)
    def epoch(state: PyTree[Array], x: UInt8[Array, "N H W C"], y: Int[Array, " N"], key: Key[Array, ""]) -> PyTree:
        def step(state: PyTree[Array], inputs: tuple[Array, Array]) -> tuple[PyTree[Array], None]:
            (params, opt), (rows, key) = state, inputs
            shifts, drops = (jax.random.split(k, BATCH) for k in jax.random.split(key))
            slope = jax.grad(loss)(params, jax.vmap(_shifted)(scaled(x[rows]), shifts), y[rows], drops)
            with jax.numpy_dtype_promotion("standard"):  # optax's Adam raises where a user asks for strict promotion
                updates, opt = tx.update(slope, opt, params)
            return (optax.apply_updates(params, updates), opt), None

        order, noise = jax.random.split(key)
        rows = jax.random.permutation(order, n)[: steps * BATCH].reshape(steps, BATCH)
        return lax.scan(step, state, (rows, jax.random.split(noise, steps)))[0]

    start, *passes = jax.random.split(key, 1 + epochs)
    x, y = jnp.asarray(images), jnp.asarray(labels, jnp.int32)
    params = network.init(start, scaled(x[:1]))["params"]
    state = params, tx.init(params)
    for key in passes:
        state = epoch(state, x, y, key)
    return state[0]


def accuracy(params: Params, images: Images, labels: Int[np.ndarray, " N"]) -> float:
    """The share of images whose most probable class is their label."""
    probabilities = look(FeatureNet("classifier", "", "", params, features, head), images).probabilities
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def _shifted(x: Float[Array, "H W C"], key: Key[Array, ""]) -> Float[Array, "H W C"]:
    """One image, moved by up to `SHIFT` pixels."""
    start = jax.random.randint(key, (2,), 0, 2 * SHIFT + 1)
    return lax.dynamic_slice(jnp.pad(x, ((SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0))), (*start, 0), x.shape)
