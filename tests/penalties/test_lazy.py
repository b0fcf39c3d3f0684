"""Lazy regularization against the penalty of every step."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gan_jax import Game, Player, init, make_step, move, turn
from gan_jax.engine.game import slice_count
from gan_jax.penalties import lazy, lazy_adam

K = 4


class Point:
    """A player whose only parameter is its output."""

    def init(self, key, x):
        return {"params": jnp.zeros(())}

    def apply(self, variables, *args, mutable=False):
        return (variables["params"], {}) if mutable is not False else variables["params"]


def game(tx, *turns):
    return Game(
        players={"d": Player(Point(), tx)},
        turns=turns,
        prior={},
        inputs=lambda batch, latents: {"d": (batch["x"],)},
        sample=lambda nets, latents: latents["z"],
    )


main = move("d", lambda nets, batch, keys, step: (nets["d"].params * 1.0, {}))
penalty = move("d", lambda nets, batch, keys, step: (nets["d"].params * 0.3, {}), name="penalty")


def ends(game, steps):
    """Plays; returns the parameter after every step, and the last state of the optimizer."""
    batch = {"x": jnp.zeros((slice_count(game), 2, 1))}
    state, step, path = init(game, jax.random.key(0), batch), jax.jit(make_step(game)), []
    for _ in range(steps):
        state, _ = step(state, batch)
        path.append(float(state.players["d"].params))
    return np.array(path), state.players["d"].opt


def test_k_steps_with_a_lazy_turn_move_as_far_as_k_with_the_penalty_in_each():
    """With gradient descent on linear losses, whose gradients are 1 and 0.3 everywhere."""
    sgd = optax.sgd(0.1)
    every_step, _ = ends(game(sgd, turn(main), turn(penalty)), 2 * K)
    lazily, _ = ends(game(sgd, turn(main), lazy(penalty, K)), 2 * K)
    np.testing.assert_allclose(lazily[K - 1 :: K], every_step[K - 1 :: K], rtol=1e-5)
    assert abs(lazily[0] - every_step[0]) > 0.05


@pytest.mark.parametrize("k", [1, 4, 16])
def test_k_and_one_updates_of_lazy_adam_are_as_long_and_forget_as_much_as_k_of_adam(k):
    rate, b1, b2 = 2e-3, 0.5, 0.99
    plain, lazily = (
        play(tx, updates) for tx, updates in ((optax.adam(rate, b1, b2), k), (lazy_adam(k, rate, b1, b2), k + 1))
    )
    np.testing.assert_allclose(lazily[0], plain[0], rtol=1e-4)
    np.testing.assert_allclose(lazily[1], plain[1], rtol=1e-4)
    np.testing.assert_allclose(lazily[2], plain[2], rtol=1e-4)


def play(tx, updates):
    """Updates with gradient 1; returns the distance and the two moments."""
    params = jnp.zeros(())
    opt = tx.init(params)
    for _ in range(updates):
        with jax.numpy_dtype_promotion("standard"):  # Adam raises under strict promotion
            change, opt = tx.update(jnp.ones(()), opt, params)
        params = optax.apply_updates(params, change)
    return params, opt[0].mu, opt[0].nu
