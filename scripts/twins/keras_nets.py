"""The networks of the timed games in Keras on TensorFlow, built from the description of their JAX twins.

Layers have the names that flax gives, so that `load` finds their weights.
"""

import math
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

Spec = dict[str, Any]


class BatchNorm(layers.Layer):
    """Batch norm that uses the statistics of its batch in every call, as the step of a game does.

    Keras's own uses the running ones where `trainable` is off, as in the discriminator of a combined model.
    """

    def __init__(self, momentum: float, **options: Any):
        super().__init__(**options)
        self.momentum = momentum

    def build(self, shape: tuple) -> None:
        """Creates the parameters and the running statistics."""
        size = (shape[-1],)
        self.scale = self.add_weight(shape=size, initializer="ones")
        self.bias = self.add_weight(shape=size, initializer="zeros")
        self.mean = self.add_weight(shape=size, initializer="zeros", trainable=False)
        self.var = self.add_weight(shape=size, initializer="ones", trainable=False)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Normalizes every channel, on images with TensorFlow's fused kernel."""
        if len(x.shape) == 4:
            empty = tf.zeros((0,))
            y, mean, var, *_ = tf.raw_ops.FusedBatchNormV3(
                x=x, scale=self.scale, offset=self.bias, mean=empty, variance=empty, epsilon=1e-5, is_training=True
            )
        else:
            mean, var = tf.nn.moments(x, [0])
            y = tf.nn.batch_normalization(x, mean, var, self.bias, self.scale, 1e-5)
        for running, new in ((self.mean, mean), (self.var, var)):
            running.assign_add((1 - self.momentum) * (new - running))
        return y


class Spectral:
    """A layer whose kernel is divided by its largest singular value, after one power iteration per call.

    `keras.layers.SpectralNormalization` stores the divided kernel instead, which is another algorithm.
    """

    def build(self, shape: tuple) -> None:
        """Creates the vector beside the parameters of the layer."""
        super().build(shape)
        self.u = self.add_weight(shape=(1, self.kernel.shape[-1]), initializer="ones", trainable=False)

    def iterate(self) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Improves the singular vectors `[1, out]` and `[1, in]`; returns them and the matrix `[in, out]`."""
        matrix = tf.reshape(self.kernel, (-1, self.kernel.shape[-1]))
        fixed = tf.stop_gradient(matrix)
        v = tf.math.l2_normalize(tf.matmul(self.u, fixed, transpose_b=True))
        u = tf.math.l2_normalize(tf.matmul(v, fixed))
        self.u.assign(u)
        return u, v, matrix

    def normalized(self) -> tf.Tensor:
        """Computes the kernel that the layer applies."""
        u, v, matrix = self.iterate()
        return self.kernel / tf.matmul(tf.matmul(v, matrix), u, transpose_b=True)[0, 0]


class SpectralConv(Spectral, layers.Conv2D):
    """A convolution with spectral norm."""

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """Convolves with the normalized kernel."""
        return super().convolution_op(inputs, self.normalized())


class SpectralDense(Spectral, layers.Dense):
    """A dense layer with spectral norm."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Multiplies with the normalized kernel."""
        return tf.matmul(inputs, self.normalized()) + self.bias


def build(game: Spec) -> tuple[keras.Sequential, keras.Sequential]:
    """Builds generator and discriminator, and asserts that they have as many parameters as their twins."""
    shape = tuple(game["shape"])
    nets = []
    for player, kind in (("g", 0), ("d", 1)):
        net = keras.Sequential(FAMILIES[game[player]["family"]][kind](game[player], shape))
        count = sum(math.prod(weight.shape) for weight in net.trainable_weights)
        assert count == game["parameters"][player], (game["game"], player, count, game["parameters"][player])
        nets.append(net)
    return nets[0], nets[1]


def load(net: keras.Sequential, arrays: Mapping[str, np.ndarray]) -> None:
    """Copies the weights of a network, by their paths (`Dense_0/kernel`), and the vectors of spectral norm."""
    for path, array in arrays.items():
        *_, name, attribute = path.replace("/kernel/u", "/u").split("/")
        if attribute not in ATTRIBUTES:
            continue  # running statistics
        layer = net.get_layer(name)
        if attribute == "kernel" and isinstance(layer, layers.Conv2DTranspose):
            array = array[::-1, ::-1].transpose(0, 1, 3, 2)  # Keras's transposed convolution turns its kernel
        getattr(layer, attribute).assign(array)


ATTRIBUTES = ("kernel", "bias", "scale", "u")


def dense_generator(spec: Spec, shape: tuple[int, int, int]) -> list[layers.Layer]:
    """Lists the layers of `nets/mlp.py:Generator`."""
    stack: list[layers.Layer] = [keras.Input((100,))]
    for i, width in enumerate(spec["widths"]):
        stack += [layers.Dense(width, name=f"Dense_{i}"), layers.LeakyReLU(0.2)]
        stack += [BatchNorm(spec["momentum"], name=f"BatchNorm_{i}")]
    last = layers.Dense(math.prod(shape), activation="tanh", name=f"Dense_{len(spec['widths'])}")
    return [*stack, last, layers.Reshape(shape)]


def dense_discriminator(spec: Spec, shape: tuple[int, int, int]) -> list[layers.Layer]:
    """Lists the layers of `nets/mlp.py:Discriminator`."""
    stack: list[layers.Layer] = [keras.Input(shape), layers.Flatten()]
    for i, width in enumerate(spec["widths"]):
        stack += [layers.Dense(width, name=f"Dense_{i}"), layers.LeakyReLU(0.2)]
    return [*stack, layers.Dense(1, name=f"Dense_{len(spec['widths'])}")]


def generator(spec: Spec, shape: tuple[int, int, int]) -> list[layers.Layer]:
    """Lists the layers of `nets/dcgan.py:Generator`."""
    strides, k, widths = spec["strides"], spec["kernel_size"], spec["widths"]
    sizes = list(accumulate(reversed(strides), lambda side, s: math.ceil(side / s), initial=spec["size"]))[::-1]
    first = (sizes[0], sizes[0], widths[0])

    def normalize(i: int) -> list[layers.Layer]:
        return [BatchNorm(0.9, name=f"BatchNorm_{i}")] if spec["norm"] else []

    stack = [keras.Input((100,)), layers.Dense(math.prod(first), name="Dense_0"), layers.Reshape(first)]
    stack += [*normalize(0), layers.ReLU()]
    for i, (width, stride) in enumerate(zip((*widths[1:], spec["channels"]), strides, strict=True)):
        extra = sizes[i + 1] - ((sizes[i] - 1) * stride + k - 2 * (k // 2))
        name = f"ConvTranspose_{i}"
        stack.append(layers.Conv2DTranspose(width, k, stride, "same", output_padding=extra, name=name))
        if i + 1 < len(strides):
            stack += [*normalize(i + 1), layers.LeakyReLU(spec["slope"]) if spec["slope"] else layers.ReLU()]
    return [*stack, layers.Activation("tanh")]


def discriminator(spec: Spec, shape: tuple[int, int, int]) -> list[layers.Layer]:
    """Lists the layers of `nets/dcgan.py:Discriminator`."""
    convolution, dense = (SpectralConv, SpectralDense) if spec["spectral"] else (layers.Conv2D, layers.Dense)
    stack: list[layers.Layer] = [keras.Input(shape)]
    for i, width in enumerate(spec["widths"]):
        stack.append(convolution(width, spec["kernel_size"], 2, "same", name=f"Conv_{i}"))
        stack += [BatchNorm(0.9, name=f"BatchNorm_{i - 1}")] if spec["norm"] and i else []
        stack.append(layers.LeakyReLU(spec["slope"]))
        stack += [layers.Dropout(spec["dropout"])] if spec["dropout"] else []
    return [*stack, layers.Flatten(), dense(1, name="Dense_0")]


FAMILIES = {"mlp": (dense_generator, dense_discriminator), "dcgan": (generator, discriminator)}
