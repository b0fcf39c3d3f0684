"""Self-attention over the positions of a map."""

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.nets.layers.conditioning import GLOROT
from gan_jax.nets.layers.resampling import max_pool

Maps = Float[Array, "B H W C"]


class SelfAttention(nn.Module):
    """Adds to every position features from all positions, weighted by similarity; H and W are even.

        q = x W_q   [B, H, W, C / 8]            k = pool(x W_k)   [B, H / 2, W / 2, C / 8]
        y = x + gamma (softmax(q k^T) v) W_o    v = pool(x W_v)   [B, H / 2, W / 2, C / 2]

    The softmax is over the pooled positions of an example; `pool` is `max_pool`. The number gamma is learned from 0, so
    the layer begins as the identity. Quotients of C are rounded up.

    Zhang et al. 2019, "Self-attention generative adversarial networks", eq. 1 to 3 (https://arxiv.org/abs/1805.08318).
    Pooling, the width of v, and matrices without bias follow the authors' program. The softmax is computed in float32.
    """

    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        """Attends from `x` to `x`."""

        def product(x: Maps, features: int) -> Float[Array, "B H W F"]:
            return nn.Dense(features, use_bias=False, dtype=self.dtype, kernel_init=GLOROT)(x)

        b, h, w, c = x.shape
        q = product(x, -(-c // 8)).reshape(b, h * w, -1)
        k = max_pool(product(x, -(-c // 8))).reshape(b, h * w // 4, -1)
        v = max_pool(product(x, -(-c // 2))).reshape(b, h * w // 4, -1)
        attended = nn.softmax((q @ k.mT).astype(jnp.float32)).astype(v.dtype) @ v
        gamma = self.param("gamma", nn.initializers.zeros, (), jnp.float32)
        return x + gamma.astype(x.dtype) * product(attended.reshape(b, h, w, -1), c)
