"""Dropout from per-example keys, and batch norm over the whole batch however it is split over devices."""

import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Float, Int

from gan_jax.engine.collectives import pmean


class ConditionalBatchNorm(nn.Module):
    """Batch norm whose gain and bias are those of the example's class: `scale`, `bias` `[classes, C]`.

    The statistics are of the whole batch, whatever the classes in it. The gain starts at one, the bias at zero.

    Dumoulin et al. 2017, "A learned representation for artistic style", eq. 5; for GANs Miyato and Koyama 2018,
    "cGANs with projection discriminator".
    """

    classes: int
    momentum: float = 0.99
    epsilon: float = 1e-5

    @nn.compact
    def __call__(self, x: Float[Array, "B *space C"], y: Int[Array, " B"]) -> Float[Array, "B *space C"]:
        """Normalises every channel; then the gain and bias of each example's class."""
        table = (self.classes, x.shape[-1])
        scale = self.param("scale", nn.initializers.ones, table)
        bias = self.param("bias", nn.initializers.zeros, table)
        x = BatchNorm(self.momentum, self.epsilon, affine=False, name="norm")(x)
        own = (x.shape[0], *(1,) * (x.ndim - 2), x.shape[-1])
        return x * scale[y].reshape(own).astype(x.dtype) + bias[y].reshape(own).astype(x.dtype)


class BatchNorm(nn.Module):
    """`flax.linen.BatchNorm` in value, in parameters (`scale`, `bias`; none unless `affine`) and in `batch_stats`
    (`mean`, `var`).

    Training, that is where `batch_stats` is mutable, it normalizes with the statistics of the whole batch, however the
    batch is split over devices, and lets the running ones follow; otherwise it normalizes with the running ones. The
    statistics are float32 and the output is of the input's dtype.

    Ioffe and Szegedy 2015, "Batch normalization", Algorithms 1 and 2.
    """

    momentum: float = 0.99
    epsilon: float = 1e-5
    affine: bool = True

    @nn.compact
    def __call__(self, x: Float[Array, "B *space C"]) -> Float[Array, "B *space C"]:
        """Normalises every channel."""
        channels = x.shape[-1:]
        scale = self.param("scale", nn.initializers.ones, channels) if self.affine else jnp.ones(channels)
        bias = self.param("bias", nn.initializers.zeros, channels) if self.affine else jnp.zeros(channels)
        running_mean = self.variable("batch_stats", "mean", jnp.zeros, channels)
        running_var = self.variable("batch_stats", "var", jnp.ones, channels)
        wide = x.astype(jnp.float32)

        if self.is_mutable_collection("batch_stats"):
            axes = tuple(range(x.ndim - 1))
            # The mean of the squares, not of the squared deviations: both means are then of the whole batch at once.
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
