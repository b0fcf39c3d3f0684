"""The LeCam regularizer against hand computation over two steps."""

import jax
import jax.numpy as jnp
import numpy as np
from known import PARAMS, X_FAKE, X, critic, over_devices

from gan_jax.penalties import LeCam

S_REAL, S_FAKE = jnp.array([1.0, 3.0]), jnp.array([-2.0, -4.0])  # means 2 and -3
ZERO = {"averages": {"real": jnp.zeros(()), "fake": jnp.zeros(())}}


def close(tree, expected):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), tree, expected)


def train(variables, s_real=S_REAL, s_fake=S_FAKE):
    return jax.jit(lambda v: LeCam(0.5).apply(v, s_real, s_fake, mutable=["averages"]))(variables)


def test_lecam_has_no_parameters_and_starts_at_zero():
    close(LeCam().init(jax.random.key(0), S_REAL, S_FAKE), ZERO)


def test_two_steps_equal_hand_computation():
    penalty, averages = train(ZERO)
    close(averages, {"averages": {"real": 1.0, "fake": -1.5}})
    close(penalty, [2.5**2 + 3.0**2, 4.5**2 + 5.0**2])
    penalty, averages = train(averages)
    close(averages, {"averages": {"real": 1.5, "fake": -2.25}})
    close(penalty, [3.25**2 + 3.5**2, 5.25**2 + 5.5**2])


def test_averages_are_constant_unless_mutable():
    variables = {"averages": {"real": jnp.array(1.0), "fake": jnp.array(-1.0)}}
    close(LeCam(0.5).apply(variables, S_REAL, S_FAKE), [2.0**2 + 3.0**2, 4.0**2 + 5.0**2])


def test_averages_have_no_gradient():
    slope = jax.grad(lambda s: train(ZERO, s_real=s)[0].sum())(S_REAL)
    close(slope, [2 * 2.5, 2 * 4.5])


def test_averages_over_eight_devices_are_of_the_whole_batch():
    def means(params, examples):
        scores = (critic(params)(x) for x in examples)
        penalty, averages = LeCam().apply(ZERO, *scores, mutable=["averages"])
        return jnp.mean(penalty), averages

    close(over_devices(means)(PARAMS, (X, X_FAKE)), means(PARAMS, (X, X_FAKE)))
