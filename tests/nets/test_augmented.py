"""The discriminator that sees its images augmented."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from gan_jax.engine.keys import split
from gan_jax.nets.augmented import Augmented

KEYS = jax.random.split(jax.random.key(0), 4)
X = jnp.arange(8, dtype=jnp.float32).reshape(4, 2)


class Recorder(nn.Module):
    """Returns its input, plus a draw where it gets keys."""

    @nn.compact
    def __call__(self, x, keys=None):
        scale = self.param("scale", nn.initializers.ones, ())
        return scale * x + (0 if keys is None else draw(keys))


def draw(keys):
    return jax.vmap(lambda key: jax.random.normal(key, (2,)))(keys)


def test_transforms_are_applied_in_order_with_keys_of_their_own():
    net = Augmented(Recorder(), (lambda x, keys: x * draw(keys), lambda x, keys: x + draw(keys)))
    variables = net.init(jax.random.key(0), X)
    assert jax.tree.map(jnp.shape, variables) == {"params": {"d": {"scale": ()}}}
    first, second, own = split(KEYS, 3)
    np.testing.assert_allclose(net.apply(variables, X, KEYS), X * draw(first) + draw(second) + draw(own), atol=1e-6)


def test_without_keys_images_are_seen_as_they_are():
    net = Augmented(Recorder(), (lambda x, keys: x + draw(keys),))
    np.testing.assert_array_equal(net.apply(net.init(jax.random.key(0), X), X), X)
