"""Properties of every penalty: equality jitted, vmapped and over devices, and correct parameter gradients."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from known import KEYS, PARAMS, X_FAKE, X, critic, normal, over_devices

from gan_jax import penalties
from gan_jax.engine.keys import uniform

close = partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5)


def shifted(x, keys):
    return x + uniform(keys)[:, None]


def every_penalty(params, examples):
    """Computes each penalty `[B]`, by name."""
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


EXAMPLES = (X, X_FAKE, KEYS)
DIRECTION = jax.tree.map(lambda p: normal(*p.shape), PARAMS)

play = jax.jit(every_penalty)


def means(params, examples):
    return jax.tree.map(jnp.mean, every_penalty(params, examples))


@cache
def sizes():
    return {name: float(jnp.abs(values.mean())) for name, values in play(PARAMS, EXAMPLES).items()}


@cache
def summed():
    """Returns the sum of all mean penalties, each divided by its size, and its gradient."""
    scale = sizes()

    def loss(params, examples):
        each = means(params, examples)
        return sum(each[name] / scale[name] for name in each), each

    return jax.value_and_grad(loss, has_aux=True)


@cache
def on_one_device():
    return jax.jit(summed())(PARAMS, EXAMPLES)


@pytest.mark.medium
def test_penalties_are_per_example_finite_and_equal_under_vmap():
    twice = jax.tree.map(lambda p: 2 * p, PARAMS)
    one, two = play(PARAMS, EXAMPLES), play(twice, EXAMPLES)
    for name, values in one.items():
        assert values.shape == (16,), name
        assert bool(jnp.isfinite(values).all()), name
    stacked = jax.tree.map(lambda *p: jnp.stack(p), PARAMS, twice)
    lanes = jax.jit(jax.vmap(every_penalty, (0, None)))(stacked, EXAMPLES)
    jax.tree.map(lambda lane, *alone: close(lane, jnp.stack(alone)), lanes, one, two)


@pytest.mark.medium
def test_parameter_gradients_equal_finite_differences():
    """Along one direction: forward mode per penalty against central differences, and reverse mode of the sum."""
    h = 3e-3
    ahead, behind = (play(jax.tree.map(lambda p, d, t=t: p + t * d, PARAMS, DIRECTION), EXAMPLES) for t in (h, -h))
    _, forward = jax.jit(lambda p, d: jax.jvp(lambda p: means(p, EXAMPLES), (p,), (d,)))(PARAMS, DIRECTION)
    for name, slope in forward.items():
        assert abs(slope) > 1e-2, name
        difference = (ahead[name] - behind[name]).mean() / (2 * h)
        np.testing.assert_allclose(slope, difference, rtol=1e-2, err_msg=name)
    _, gradient = on_one_device()
    expected = sum(slope / sizes()[name] for name, slope in forward.items())
    np.testing.assert_allclose(optax.tree.vdot(gradient, DIRECTION), expected, rtol=1e-3)


@pytest.mark.medium
def test_eight_devices_give_the_values_and_gradients_of_one():
    jax.tree.map(close, over_devices(summed())(PARAMS, EXAMPLES), on_one_device())
