"""Batch norm whose gain and bias are functions of a vector, such as a latent."""

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from gan_jax.nets.layers.normalization import BatchNorm

SMALL = nn.initializers.normal(0.02)


class LatentBatchNorm(nn.Module):
    """Batch norm with the gain `1 + A z` and the bias `B z` of every example, linear in its vector `z [B, Z]`.

    Brock et al. 2019, "Large scale GAN training for high fidelity natural image synthesis", app. B.1
    (https://arxiv.org/abs/1809.11096), of a latent and an embedding of the class.
    """

    momentum: float = 0.9
    epsilon: float = 1e-5

    @nn.compact
    def __call__(self, x: Float[Array, "B *space C"], z: Float[Array, "B Z"]) -> Float[Array, "B *space C"]:
        """Normalizes every channel, then applies the gain and bias of each example."""
        own = (x.shape[0], *(1,) * (x.ndim - 2), x.shape[-1])
        x = BatchNorm(self.momentum, self.epsilon, affine=False, name="norm")(x)
        gain = nn.Dense(x.shape[-1], use_bias=False, kernel_init=SMALL, name="gain")(z)
        bias = nn.Dense(x.shape[-1], kernel_init=SMALL, name="bias")(z)
        return x * (1 + gain).reshape(own).astype(x.dtype) + bias.reshape(own).astype(x.dtype)
