"""Convolutional recurrence over the frames of a video."""

import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.nets.layers.convolution import Images, conv
from gan_jax.nets.layers.frames import Videos, each_frame

State = Float[Array, "B H W F"]
States = Float[Array, "B T H W F"]


class ConvGRU(nn.Module):
    """A gated recurrent unit of 3 x 3 convolutions, `[B, T, H, W, C]` to its states `[B, T, H, W, features]`.

        r = sigmoid(W_r * [x_t, h] + b_r)         c = relu(W_c * [x_t, r h] + b_c)
        u = sigmoid(W_u * [x_t, h] + b_u)         h_t = u h + (1 - u) c         h = h_{t-1}

    Parameters are `reset_kernel`, `update_kernel`, `candidate_kernel` `[3, 3, C + features, features]`, and biases. The
    kernels are split: the part of x convolves all frames at once, and only the part of h is left for the loop. A
    `SpectralNorm` around the layer normalizes whole kernels, once a call.

    Ballas et al. 2016, "Delving deeper into convolutional networks for learning video representations", eq. 5 to 8
    (https://arxiv.org/abs/1511.06432); the ReLU in place of tanh is that of Clark et al. 2019
    (https://arxiv.org/abs/1907.06571).
    """

    features: int
    dtype: DTypeLike | None = None
    kernel_init: nn.initializers.Initializer = nn.initializers.orthogonal()

    @nn.compact
    def __call__(self, x: Videos, h: State | None = None) -> States:
        """Computes the states after every frame, from the state `h` before the first, by default 0."""
        c, f = x.shape[-1], self.features
        gates = ("reset", "update", "candidate")
        kernels = [self.param(f"{gate}_kernel", self.kernel_init, (3, 3, c + f, f), jnp.float32) for gate in gates]
        biases = [self.param(f"{gate}_bias", nn.initializers.zeros, (f,), jnp.float32) for gate in gates]
        x, *weights = nn.dtypes.promote_dtype(x, *kernels, *biases, dtype=self.dtype)
        of_x = jnp.concatenate([kernel[:, :, :c] for kernel in weights[:3]], axis=-1)
        reset, update, candidate = (kernel[:, :, c:] for kernel in weights[:3])
        of_gates = jnp.concatenate([reset, update], axis=-1)

        def step(h: State, seen: Images) -> tuple[State, State]:
            gates = nn.sigmoid(seen[..., : 2 * f] + conv(h, of_gates))
            r, u = gates[..., :f], gates[..., f:]
            c = nn.relu(seen[..., 2 * f :] + conv(r * h, candidate))
            h = u * h + (1 - u) * c
            return h, h

        seen = each_frame(lambda x: conv(x, of_x), x) + jnp.concatenate(weights[3:]).reshape(1, 1, 1, 1, -1)
        h = jnp.zeros((*seen[:, 0].shape[:-1], f), seen.dtype) if h is None else h.astype(seen.dtype)
        return jnp.moveaxis(lax.scan(step, h, jnp.moveaxis(seen, 1, 0))[1], 0, 1)
