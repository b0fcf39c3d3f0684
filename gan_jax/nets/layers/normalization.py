"""Batch norm, plain and conditional, over the global batch of all devices; instance norm and pixel norm."""

from typing import Literal

import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Float, Int

from gan_jax.engine.collectives import pmean
from gan_jax.errors import BadInput


class ConditionalBatchNorm(nn.Module):
    """Batch norm with a gain and bias per class: `scale` (ones at first) and `bias` (zeros) `[classes, C]`.

    Statistics are those of the whole batch, over all classes.

    Dumoulin et al. 2017, "A learned representation for artistic style", eq. 5 (https://arxiv.org/abs/1610.07629); for
    GANs Miyato and Koyama 2018, "cGANs with projection discriminator" (https://arxiv.org/abs/1802.05637).
    """

    classes: int
    momentum: float = 0.99
    epsilon: float = 1e-5

    @nn.compact
    def __call__(self, x: Float[Array, "B *space C"], y: Int[Array, " B"]) -> Float[Array, "B *space C"]:
        """Normalizes every channel, then applies the gain and bias of each example's class `y`."""
        table = (self.classes, x.shape[-1])
        scale = self.param("scale", nn.initializers.ones, table, jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, table, jnp.float32)
        x = BatchNorm(self.momentum, self.epsilon, affine=False, name="norm")(x)
        return scale_and_shift(x, scale[y], bias[y])


class AdaptiveBatchNorm(nn.Module):
    """Batch norm whose gains and biases are linear in a vector v per example, such as [z, embedding of y].

    [gain - 1, bias] = W v, with W the kernel `[D, 2 C]` of the layer `affine`. Where `x` is videos `[B, T, H, W, C]`,
    all frames have the gain and the bias of their video.

    Brock et al. 2019, "Large scale GAN training for high fidelity natural image synthesis", sec. 3.1 and Appendix B
    (https://arxiv.org/abs/1809.11096).
    """

    momentum: float = 0.9
    epsilon: float = 1e-5
    kernel_init: nn.initializers.Initializer = nn.initializers.orthogonal()

    @nn.compact
    def __call__(self, x: Float[Array, "B *space C"], v: Float[Array, "B D"]) -> Float[Array, "B *space C"]:
        """Normalizes every channel, then applies the gain and bias that each example's vector `v` gives."""
        affine = nn.Dense(2 * x.shape[-1], use_bias=False, kernel_init=self.kernel_init, name="affine")
        gain, bias = jnp.split(affine(v), 2, axis=-1)
        x = BatchNorm(self.momentum, self.epsilon, affine=False, name="norm")(x)
        return scale_and_shift(x, 1 + gain, bias)


def scale_and_shift(
    x: Float[Array, "B *space C"], scale: Float[Array, "B C"], shift: Float[Array, "B C"]
) -> Float[Array, "B *space C"]:
    """Scales and shifts the channels of every example by numbers of its own, in the dtype of `x`."""
    own = (x.shape[0], *(1,) * (x.ndim - 2), x.shape[-1])
    return x * scale.reshape(own).astype(x.dtype) + shift.reshape(own).astype(x.dtype)


class BatchNorm(nn.Module):
    """`flax.linen.BatchNorm` in values, parameters (`scale`, `bias` if `affine`) and `batch_stats` (`mean`, `var`).

    In training (`batch_stats` is mutable) it normalizes with the statistics of the global batch, however it is split
    over devices, and updates the running ones; otherwise it normalizes with the running ones. Statistics are float32,
    the output has the input's dtype.

    Ioffe and Szegedy 2015, "Batch normalization: accelerating deep network training by reducing internal covariate
    shift", Algorithms 1 and 2 (https://arxiv.org/abs/1502.03167).
    """

    momentum: float = 0.99
    epsilon: float = 1e-5
    affine: bool = True

    @nn.compact
    def __call__(self, x: Float[Array, "B *space C"]) -> Float[Array, "B *space C"]:
        """Normalizes every channel."""
        channels = x.shape[-1:]
        ones, zeros, kind = nn.initializers.ones, nn.initializers.zeros, (channels, jnp.float32)
        scale = self.param("scale", ones, *kind) if self.affine else jnp.ones(*kind)
        bias = self.param("bias", zeros, *kind) if self.affine else jnp.zeros(*kind)
        running_mean = self.variable("batch_stats", "mean", jnp.zeros, *kind)
        running_var = self.variable("batch_stats", "var", jnp.ones, *kind)
        wide = x.astype(jnp.float32)

        if self.is_mutable_collection("batch_stats"):
            axes = tuple(range(x.ndim - 1))
            # E[x^2] - E[x]^2 rather than the mean squared deviation: one collective for both means.
            mean, square = pmean((wide.mean(axes), jnp.square(wide).mean(axes)))
            var = jnp.maximum(square - jnp.square(mean), 0)
            if not self.is_initializing():
                for running, new in ((running_mean, mean), (running_var, var)):
                    running.value = self.momentum * running.value + (1 - self.momentum) * new
        else:
            mean, var = running_mean.value, running_var.value

        gain = scale * lax.rsqrt(var + self.epsilon)
        mean, gain, bias = (v.reshape((1,) * (x.ndim - 1) + channels) for v in (mean, gain, bias))
        return ((wide - mean) * gain + bias).astype(x.dtype)


class InstanceNorm(nn.Module):
    """Normalizes every channel of an example over its own pixels: zero mean, unit variance.

    It keeps no statistics, so training and inference are the same function. Parameters `scale` and `bias` only if
    `affine`. A map of one pixel becomes zero. Computed in float32, the output has the input's dtype.

    Ulyanov et al. 2016, "Instance normalization: the missing ingredient for fast stylization", eq. 2
    (https://arxiv.org/abs/1607.08022).
    """

    epsilon: float = 1e-5
    affine: bool = False

    @nn.compact
    def __call__(self, x: Float[Array, "B *space C"]) -> Float[Array, "B *space C"]:
        """Normalizes every channel of every example."""
        axes = tuple(range(1, x.ndim - 1))
        wide = x.astype(jnp.float32)
        centered = wide - wide.mean(axes, keepdims=True)
        y = centered * lax.rsqrt(jnp.square(centered).mean(axes, keepdims=True) + self.epsilon)
        if self.affine:
            channels, own = x.shape[-1:], (1,) * (x.ndim - 1) + x.shape[-1:]
            scale = self.param("scale", nn.initializers.ones, channels, jnp.float32)
            bias = self.param("bias", nn.initializers.zeros, channels, jnp.float32)
            y = y * scale.reshape(own) + bias.reshape(own)
        return y.astype(x.dtype)


def pixel_norm(x: Float[Array, "B *space C"]) -> Float[Array, "B *space C"]:
    """Scales the channels at every position to a mean square of 1, `x / sqrt(mean(x^2) + 1e-8)`.

    Latents `[B, Z]` are then on the sphere. Computed in float32, the output has the input's dtype.

    Karras et al. 2018, "Progressive growing of GANs for improved quality, stability, and variation", sec. 4.2
    (https://arxiv.org/abs/1710.10196).
    """
    wide = x.astype(jnp.float32)
    return (wide * lax.rsqrt(jnp.mean(jnp.square(wide), axis=-1, keepdims=True) + 1e-8)).astype(x.dtype)


Norm = Literal["none", "batch", "instance"]
"""The normalization after the convolutions of a network."""


def normalize(x: Float[Array, "B *space C"], norm: Norm) -> Float[Array, "B *space C"]:
    """Normalizes by a layer of the calling module: none, `BatchNorm` with momentum 0.9, or `InstanceNorm`."""
    match norm:
        case "none":
            return x
        case "batch":
            return BatchNorm(momentum=0.9)(x)
        case "instance":
            return InstanceNorm()(x)
    raise BadInput(f'norm "{norm}" is not supported: choose one of none, batch, instance')
