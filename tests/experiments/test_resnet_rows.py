"""SNGAN and SAGAN: networks, turns and learning rates of the papers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from stepping import built, three_steps

from gan_jax import BadInput
from gan_jax.data import from_arrays
from gan_jax.nets import resnet
from gan_jax.nets.layers.spectral_norm import SpectralNorm

ROWS = ["sngan", "sagan"]


def color(size=32, n=32):
    """Makes noise images."""
    return from_arrays("noise", np.random.RandomState(0).randint(0, 256, (n, size, size, 3), np.uint8))


def game(row, *flags):
    [phase] = built(row, "--preset", "full", *flags, source=color()).phases
    return phase.game


@pytest.mark.parametrize(("row", "turns"), [("sngan", "dddddg"), ("sagan", "dg")])
def test_rows_have_the_papers_networks_and_turns(row, turns):
    full = game(row)
    g, d = resnet.Generator(3, 4, 3, 256), resnet.Discriminator(2, 128)
    if row == "sagan":
        g, d = SpectralNorm(g.clone(attention=True)), d.clone(attention=True)
    assert full.players["g"].net == g and full.players["d"].net == d
    assert "".join(name for turn in full.turns for move in turn.moves for name in move.who) == turns
    assert full.prior["z"].size == 128


def rates(tx, updates):
    """Returns the sizes of the first updates: without momentum, the learning rates."""
    params, found = {"w": jnp.zeros(())}, []
    with jax.numpy_dtype_promotion("standard"):  # of optax
        state, update = tx.init(params), jax.jit(tx.update)
        for _ in range(updates):
            moved, state = update({"w": jnp.ones(())}, state)
            found.append(-float(moved["w"]))
    return found


def test_learning_rates_fall_to_0_after_the_last_update_of_each_player():
    """Two steps, in which the discriminator is updated ten times."""
    players = game("sngan", "--images", "640", "--batch-size", "64").players
    np.testing.assert_allclose(rates(players["d"].tx, 11), 2e-4 * (1 - np.arange(11) / 10), rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(rates(players["g"].tx, 3), [2e-4, 1e-4, 0.0], rtol=1e-4, atol=1e-9)


def test_discriminator_of_sagan_learns_four_times_as_fast():
    players = game("sagan").players
    np.testing.assert_allclose(rates(players["g"].tx, 2), [1e-4, 1e-4], rtol=1e-4)
    np.testing.assert_allclose(rates(players["d"].tx, 2), [4e-4, 4e-4], rtol=1e-4)


@pytest.mark.parametrize("row", ROWS)
def test_unsupported_sizes_are_refused(row):
    with pytest.raises(BadInput, match="examples of 30x30x3 are not supported"):
        built(row, source=color(30))


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS)
def test_three_steps_on_digits(row):
    assert three_steps(row, "--n-critic", "1").samples.shape == (50, 28, 28, 1)
