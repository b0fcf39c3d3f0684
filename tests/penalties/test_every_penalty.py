"""What holds of every penalty: the same jitted, vmapped and over devices, and right gradients by the parameters."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from known import KEYS, PARAMS, X_FAKE, X, critic, over_devices

from gan_jax import penalties
from gan_jax.engine.keys import uniform

close = partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5)


def shifted(x, keys):
    return x + uniform(keys)[:, None]


def every_penalty(params, examples):
    """Each penalty `[B]`, by name."""
    x, x_fake, keys = examples
    d = critic(params)
    g = lambda z: jnp.tanh(z @ params["w"])[:, :3]  # noqa: E731
    deviations = penalties.two_sided, penalties.one_sided, penalties.zero_centered
    return {
        "r1": penalties.r1(d, x),
        "r2": penalties.r2(d, x_fake),
        **{f.__name__: penalties.gradient_penalty(d, x, x_fake, keys, f) for f in deviations},
        "dragan": penalties.dragan(d, x, keys),
        "max_gradient": penalties.max_gradient(d, x, x_fake, keys),
        "cr": penalties.cr(d, x, keys, shifted),
        "bcr": penalties.bcr(d, x, x_fake, keys, shifted),
        "zcr_d": penalties.zcr_d(d, g, x_fake, x),
        "zcr_g": penalties.zcr_g(g, x_fake, x),
        "lecam": penalties.LeCam().apply(
            {"averages": {"real": jnp.array(0.4), "fake": jnp.array(-0.2)}}, d(x), d(x_fake)
        ),
        "orthogonal": jnp.broadcast_to(penalties.orthogonal(params), x.shape[:1]),
    }


def means(params, examples):
    return jax.tree.map(jnp.mean, every_penalty(params, examples))


EXAMPLES = (X, X_FAKE, KEYS)


def test_per_example_finite_and_the_same_jitted_and_vmapped():
    twice = jax.tree.map(lambda p: 2 * p, PARAMS)
    play = jax.jit(every_penalty)
    one, two = play(PARAMS, EXAMPLES), play(twice, EXAMPLES)
    for name, values in one.items():
        assert values.shape == (16,), name
        assert bool(jnp.isfinite(values).all()), name
    stacked = jax.tree.map(lambda *p: jnp.stack(p), PARAMS, twice)
    lanes = jax.jit(jax.vmap(every_penalty, (0, None)))(stacked, EXAMPLES)
    jax.tree.map(lambda lane, *alone: close(lane, jnp.stack(alone)), lanes, one, two)


def test_gradients_by_the_parameters_are_the_slopes():
    """Along one direction, by both modes of differentiation, against a central difference."""
    direction = jax.tree.map(lambda p: jax.random.normal(jax.random.key(9), p.shape), PARAMS)
    h = 3e-3

    @jax.jit
    def slopes(params):
        along = lambda t: means(jax.tree.map(lambda p, d: p + t * d, params, direction), EXAMPLES)  # noqa: E731
        difference = jax.tree.map(lambda a, b: (a - b) / (2 * h), along(h), along(-h))
        return difference, jax.jacfwd(along)(0.0), jax.jacrev(along)(0.0)

    difference, forward, backward = slopes(PARAMS)
    for name, slope in difference.items():
        assert abs(slope) > 1e-2, name
        np.testing.assert_allclose(forward[name], slope, rtol=1e-2, err_msg=name)
        np.testing.assert_allclose(backward[name], forward[name], rtol=1e-3, err_msg=name)


def test_eight_devices_give_the_values_and_gradients_of_one():
    both = lambda p, examples: (means(p, examples), jax.jacrev(means)(p, examples))  # noqa: E731
    jax.tree.map(close, over_devices(both)(PARAMS, EXAMPLES), jax.jit(both)(PARAMS, EXAMPLES))
