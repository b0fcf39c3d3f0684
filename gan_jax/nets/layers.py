"""Dropout from per-example keys, and batch norm over the whole batch however it is split over devices."""

import zlib

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Float, Int, Key, UInt8

from gan_jax.axis import mean_over_devices
from gan_jax.errors import BadInput
from gan_jax.game import Keys


class Dropout(nn.Module):
    """Zeroes each element with probability `rate` and scales the rest up to keep the mean; without keys, nothing.

    An element is decided by eight random bits, so the rate is rounded to a multiple of 1/256 (0.3 is 77/256) and the
    scale is that of the rounded rate. Every `Dropout` of a network draws from its own stream, told apart by its path,
    so all may be given the same keys; one module that is called twice drops the same elements twice.

    Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".
    """

    rate: float

    def __call__(self, x: Float[Array, "B ..."], keys: Keys | None = None) -> Float[Array, "B ..."]:
        """Drops from every example of `x` what its own key says."""
        dropped = round(256 * self.rate)
        if not 0 <= dropped < 256:
            raise BadInput(f"a dropout rate must be at least 0 and less than 1, got {self.rate}")
        if keys is None or dropped == 0:
            return x
        stream = zlib.crc32("/".join(self.path).encode())
        noise = jax.vmap(lambda key: _random_bytes(jax.random.fold_in(key, stream), x[0].size))(keys)
        return jnp.where(noise.reshape(x.shape) >= dropped, x * (256 / (256 - dropped)), 0)


def _random_bytes(key: Key[Array, ""], n: int) -> UInt8[Array, " n"]:
    """`n` random bytes, four to a word: `jax.random.bits` of uint8 draws a whole word for each."""
    words = jax.random.bits(key, (-(-n // 4),))
    return lax.bitcast_convert_type(words, jnp.uint8).reshape(-1)[:n]


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

    Training, that is where `batch_stats` is mutable, it normalises with the statistics of the whole batch, however the
    batch is split over devices, and lets the running ones follow; otherwise it normalises with the running ones. The
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
            mean, square = mean_over_devices((wide.mean(axes), jnp.square(wide).mean(axes)))
            var = jnp.maximum(square - jnp.square(mean), 0)
            if not self.is_initializing():
                for running, new in ((running_mean, mean), (running_var, var)):
                    running.value = self.momentum * running.value + (1 - self.momentum) * new
        else:
            mean, var = running_mean.value, running_var.value

        gain = scale * lax.rsqrt(var + self.epsilon)
        mean, gain, bias = (v.reshape((1,) * (x.ndim - 1) + channels) for v in (mean, gain, bias))
        return ((wide - mean) * gain + bias).astype(x.dtype)
