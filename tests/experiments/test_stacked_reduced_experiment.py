"""The remedies for mode collapse on Stacked-MNIST, and unrolling through convolutions and batch norm."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from stepping import built, three_steps

from gan_jax import BadInput, init, losses, make_step
from gan_jax.data import from_arrays, open_source, stack_digits
from gan_jax.engine.dynamics import unrolled
from gan_jax.engine.keys import example_keys, normal, split
from gan_jax.games import vanilla
from gan_jax.nets import mlp, stacked_mnist
from gan_jax.nets.layers.minibatch import MinibatchDiscrimination

NAME = "stacked_reduced"


def digits(size=28):
    return stack_digits(open_source("mnist5k"), n=64, size=size)


@pytest.mark.slow
def test_three_steps():
    assert three_steps(NAME, source=digits()).samples.shape == (25, 28, 28, 3)


@pytest.mark.slow
def test_three_steps_with_every_remedy():
    flags = ["--pack", "2", "--similarity", "3", "--unroll", "1", "--width", "4"]
    assert three_steps(NAME, *flags, source=digits(32)).samples.shape == (25, 32, 32, 3)


@pytest.mark.parametrize("shape", [(28, 28, 1), (30, 30, 3)])
def test_other_data_than_stacked_digits_is_refused(shape):
    with pytest.raises(BadInput, match=r"odd has examples of shape .*: give --data stacked:mnist5k"):
        built(NAME, source=from_arrays("odd", np.zeros((9, *shape), np.uint8)))


@pytest.mark.slow
def test_unrolled_gradient_through_batch_norm_equals_hand_computation():
    """Simulated discriminators use batch statistics; only the current one updates the running averages."""
    rate, g = 0.05, mlp.Generator(shape=(8, 8, 3), widths=())
    d = stacked_mnist.discriminator(1, MinibatchDiscrimination(3, 2))
    x = jax.random.uniform(jax.random.key(1), (1, 6, 8, 8, 3), minval=-1.0)
    sgd, turns = optax.sgd(rate), partial(vanilla.simultaneous, dynamics=unrolled(1))
    game = vanilla.game(g, d, sgd, sgd, z_size=9, turns=turns)
    state = init(game, jax.random.key(0), {"x": x})
    after, _ = jax.jit(make_step(game))(state, {"x": x})

    keys = example_keys(jax.random.fold_in(jax.random.fold_in(state.key, 0), 0), 6)
    z = normal(split(keys, 6)[0], 9)
    players = state.players

    def trained(params, stats, x):
        return d.apply({"params": params, **stats}, x, mutable=["batch_stats"])

    def scores(own, d_params):
        s_real, stats = trained(d_params, players["d"].stats, x[0])
        s_fake, stats = trained(d_params, stats, g.apply({"params": own}, z))
        return s_real, s_fake, stats

    def d_loss(d_params, own):
        return jnp.mean(losses.non_saturating.d(*scores(own, d_params)[:2]))

    def g_loss_then(own, steps=1):
        d_params = players["d"].params
        for _ in range(steps):
            slope = jax.grad(d_loss)(d_params, own)
            d_params = jax.tree.map(lambda p, s: p - rate * s, d_params, slope)
        return jnp.mean(losses.non_saturating.g(*scores(own, d_params)[:2]))

    @jax.jit
    def by_hand(own):
        now = players["d"].params
        return (
            jax.grad(g_loss_then)(own),
            jax.grad(partial(g_loss_then, steps=0))(own),
            jax.grad(d_loss)(now, own),
            scores(own, now),
        )

    g_slope, short_sighted, d_slope, (_, _, stats) = by_hand(players["g"].params)
    assert optax.tree.norm(optax.tree.sub(g_slope, short_sighted)) > 0.05 * optax.tree.norm(g_slope)
    for name, slope in (("g", g_slope), ("d", d_slope)):
        moved = jax.tree.map(lambda new, old: (old - new) / rate, after.players[name].params, players[name].params)
        for path, leaf in jax.tree.leaves_with_path(moved):
            expected = dict(jax.tree.leaves_with_path(slope))[path]
            np.testing.assert_allclose(leaf, expected, rtol=1e-2, atol=1e-4, err_msg=f"{name} {path}")
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), after.players["d"].stats, stats)
