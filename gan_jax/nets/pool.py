"""The pool of past images of a discriminator.

Shrivastava et al. 2017, "Learning from simulated and unsupervised images through adversarial training", sec. 2.3
(https://arxiv.org/abs/1612.07828), with one image per example as in CycleGAN's program.
"""

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from gan_jax.engine.collectives import all_gather, device_index
from gan_jax.engine.game import Keys
from gan_jax.engine.keys import split, uniform


class ImagePool(nn.Module):
    """Stores images, and returns past ones in place of half of the new ones.

    Until `size` images are stored, each is stored and returned. After that, with probability 1/2, an image takes the
    place of a random one, which is returned; otherwise it is returned itself. One example after the other, over the
    whole batch: the pool is the same on all devices.

    A network without parameters; give its player the optimizer `optax.identity()`. Its images are the collection
    "pool", part of the state: a resumed run continues with the pool it had. No gradient flows to them.
    """

    size: int = 50

    @nn.compact
    def __call__(self, x: Float[Array, "B ..."], keys: Keys) -> Float[Array, "B ..."]:
        """Exchanges images `[B, ...]` with the pool; `keys` draw the decision and the place."""
        images = self.variable("pool", "images", jnp.zeros, (self.size, *x.shape[1:]), x.dtype)
        count = self.variable("pool", "count", jnp.zeros, (), jnp.int32)
        if self.is_initializing() or not self.is_mutable_collection("pool"):
            return x

        def exchange(pool: tuple, new: tuple) -> tuple:
            (images, count), (image, swap, chosen) = pool, new
            full = count == self.size
            place = jnp.where(full, chosen, count)
            returned = jnp.where(full & swap, images[place], image)
            images = images.at[place].set(jnp.where(full & ~swap, images[place], image))
            return (images, jnp.minimum(count + 1, self.size)), returned

        swap, place = split(keys, 2)
        draws = (uniform(swap) < 0.5, jnp.int32(self.size * uniform(place)))
        new = jax.tree.map(all_gather, (jax.lax.stop_gradient(x), *draws))
        (images.value, count.value), returned = jax.lax.scan(exchange, (images.value, count.value), new)
        return jax.lax.dynamic_slice_in_dim(returned, device_index() * x.shape[0], x.shape[0])
