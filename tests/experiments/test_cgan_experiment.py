"""The cGAN experiment plays on digits and color images, with both optimizers."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from stepping import built, three_steps

from gan_jax import BadInput
from gan_jax.config import user_code
from gan_jax.config.discovery import find
from gan_jax.data import from_arrays


def color(n=32, labeled=True):
    """Makes noise images of two classes."""
    x = np.random.RandomState(0).randint(0, 256, (n, 32, 32, 3), np.uint8)
    return from_arrays("noise", x, np.arange(n) % 2, ("even", "odd")) if labeled else from_arrays("noise", x)


@pytest.mark.slow
def test_three_steps_on_digits():
    played = three_steps("cgan")
    assert played.samples.shape == (50, 28, 28, 1)
    assert played.game.codes["y"].classes == 10


@pytest.mark.slow
def test_three_steps_in_color_with_the_papers_optimizer():
    played = three_steps("cgan", "--preset", "full", source=color())
    assert played.samples.shape == (50, 32, 32, 3)
    assert played.game.codes["y"].classes == 2
    assert played.state.players["d"].opt.hyperparams["momentum"] == pytest.approx(0.5, abs=1e-4)


def test_images_without_labels_are_refused():
    with pytest.raises(BadInput, match="noise has no labels: give"):
        built("cgan", source=color(labeled=False))


def test_decaying_sgd_follows_the_papers_schedules():
    """Learning rate 0.1 / 1.00004^t, at least 1e-6; momentum 0.6 halfway."""
    module = user_code.load(find("cgan").file)
    tx = module.decaying_sgd(module.PRESETS["cgan"].presets["full"])
    params = {"w": jnp.zeros(())}
    state = tx.init(params)
    (w, velocity), slope = (0.0, 0.0), 2.0
    for t in range(3):
        velocity = (0.5 + 0.2 * t / 100_000) * velocity + slope
        w -= 0.1 / 1.00004**t * velocity
        updates, state = tx.update({"w": jnp.asarray(slope)}, state, params)
        params = optax.apply_updates(params, updates)
        np.testing.assert_allclose(params["w"], w, rtol=1e-5)

    def at(step):
        later = jax.tree.map(lambda v: jnp.asarray(step, v.dtype) if jnp.issubdtype(v.dtype, jnp.integer) else v, state)
        return tx.update({"w": jnp.asarray(slope)}, later, params)[1].hyperparams

    for step, rate, momentum in ((50_000, 0.1 / 1.00004**50_000, 0.6), (1_000_000, 1e-6, 0.7)):
        np.testing.assert_allclose(at(step)["learning_rate"], rate, rtol=1e-3)
        np.testing.assert_allclose(at(step)["momentum"], momentum, rtol=1e-5)
