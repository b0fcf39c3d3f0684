"""The pool of past images, against a loop over examples."""

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.engine.keys import split, uniform
from gan_jax.nets.pool import ImagePool

SIZE = 5


@jax.jit
def exchanged(variables, x, key):
    """Exchanges images with the pool; also returns the draws, made here again."""
    keys = jax.random.split(key, 3)
    returned, new = ImagePool(SIZE).apply(variables, x, keys, mutable=["pool"])
    return returned, new, [uniform(each) for each in split(keys, 2)]


def by_hand(pool, x, swap, place):
    """Exchanges images one after the other; returns what is returned."""
    out = []
    for image, swapped, at in zip(x, swap, place, strict=True):
        if len(pool) < SIZE:
            pool.append(image)
            out.append(image)
        elif swapped:
            out.append(pool[at])
            pool[at] = image
        else:
            out.append(image)
    return np.array(out)


def test_pool_fills_and_then_swaps_half_of_the_images_with_random_ones():
    variables = ImagePool(SIZE).init(jax.random.key(0), jnp.zeros((3, 2)), jax.random.split(jax.random.key(0), 3))
    pool, swaps, past = [], 0, 0
    for step in range(40):
        x = np.full((3, 2), 3 * step, np.float32) + np.arange(3)[:, None]
        returned, variables, (swap, place) = exchanged(variables, x, jax.random.key(step))
        wanted = by_hand(pool, x, swap < 0.5, np.int32(SIZE * np.asarray(place)))
        np.testing.assert_array_equal(returned, wanted)
        swaps, past = swaps + np.sum(wanted[:, 0] != x[:, 0]), past + 3
    np.testing.assert_array_equal(variables["pool"]["images"], pool)
    assert abs(swaps - (past - SIZE) / 2) < 4 * np.sqrt(past) / 2


def test_outside_of_training_images_pass_unchanged():
    keys = jax.random.split(jax.random.key(0), 3)
    variables = ImagePool(SIZE).init(jax.random.key(0), jnp.zeros((3, 2)), keys)
    x = jnp.ones((3, 2))
    np.testing.assert_array_equal(ImagePool(SIZE).apply(variables, x, keys), x)


def test_no_gradient_flows_to_the_pool_s_images():
    keys = jax.random.split(jax.random.key(0), 3)
    variables = ImagePool(SIZE).init(jax.random.key(0), jnp.zeros((3, 2)), keys)
    grad = jax.grad(lambda x: ImagePool(SIZE).apply(variables, x, keys, mutable=["pool"])[0].sum())(jnp.ones((3, 2)))
    assert not np.any(grad)
