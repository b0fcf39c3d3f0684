"""Rows of the DCGAN table on tiny networks: turns, losses, penalties and optimizers against hand computation."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from arena import BATCH, Discriminator, Generator, batches, step_batch

from gan_jax import bind, init, make_step
from gan_jax.config import user_code
from gan_jax.config.discovery import find
from gan_jax.engine.keys import example_keys, normal, split
from gan_jax.losses import lsgan
from gan_jax.penalties import terms

G, D = Generator(norm=False), Discriminator()
Z = 100
MODULE = user_code.load(find("dcgan").file)


def game(row, preset="full", **changes):
    """Makes the game of a row on tiny networks, with changed flags."""
    return MODULE.game(G, D, replace(MODULE.PRESETS[row].presets[preset], **changes))


def played(game, steps=1):
    """Returns the states before and after, the metrics of every step, and the data."""
    start = state = init(game, jax.random.key(0), step_batch(game))
    step, reports, data = jax.jit(make_step(game)), [], batches(game, steps)["x"]
    for x in data:
        state, metrics = step(state, {"x": x})
        reports.append({name: float(value) for name, value in metrics.items()})
    return start, state, reports, data


def movers(game):
    return "".join(name for turn in game.turns for move in turn.moves for name in move.who)


@pytest.mark.parametrize(
    "row, critic_turns",
    [("dcgan", 1), ("lsgan", 1), ("wgan", 5), ("wgan_gp", 5), ("dragan", 1), ("hinge", 5), ("rpgan", 1)],
)
def test_discriminator_has_the_papers_number_of_turns(row, critic_turns):
    assert movers(game(row)) == critic_turns * "d" + "g"
    assert movers(game(row, n_critic=2)) == "ddg"


def test_only_the_critic_is_clipped():
    _, state, _, _ = played(game("wgan", clip=0.02, learning_rate=1e-3, n_critic=1), steps=3)
    largest = {
        name: max(jnp.abs(leaf).max() for leaf in jax.tree.leaves(p.params)) for name, p in state.players.items()
    }
    assert largest["d"] == np.float32(0.02) < largest["g"]


@pytest.mark.parametrize("clip", [9.0, 0.05])
def test_first_rmsprop_update_does_not_depend_on_the_gradient(clip):
    """rate * gradient / sqrt(0.01 gradient^2), also for the small gradients of a clipped critic."""
    start, state, _, _ = played(game("wgan", learning_rate=1e-4, n_critic=1, clip=clip))
    moved = state.players["g"].params["Dense_0"]["kernel"] - start.players["g"].params["Dense_0"]["kernel"]
    np.testing.assert_allclose(np.median(np.abs(moved)), 1e-4 / 0.01**0.5, rtol=1e-2)


@pytest.mark.parametrize("row", ["wgan_gp", "hinge"])
def test_adam_with_b1_0_has_no_momentum(row):
    """The first moment is the last gradient."""
    _, state, reports, _ = played(game(row, n_critic=1), steps=2)
    adam = state.players["g"].opt[0]
    assert int(adam.count) == 2
    np.testing.assert_allclose(optax.tree.norm(adam.mu), reports[-1]["g/grad_norm"], rtol=1e-5)


@pytest.mark.parametrize("labels", [(0.0, 1.0, 1.0), (-1.0, 1.0, 0.0)])
def test_lsgan_losses_equal_hand_computation(labels):
    a, b, c = labels
    least_squares = game("lsgan", loss=lsgan(*labels), learning_rate=1e-9)
    start, _, [report], _ = played(least_squares)
    seen = scores(least_squares, start)
    np.testing.assert_allclose(
        report["d/loss"], np.mean((seen["real"] - b) ** 2 + (seen["fake"] - a) ** 2) / 2, rtol=1e-5
    )
    np.testing.assert_allclose(report["g/loss"], np.mean((seen["fake for g"] - c) ** 2) / 2, rtol=1e-5)


def test_hinge_losses_equal_hand_computation():
    hinge = game("hinge", n_critic=1, learning_rate=1e-9)
    start, _, [report], _ = played(hinge)
    seen = scores(hinge, start)
    margins = np.maximum(0, 1 - seen["real"]) + np.maximum(0, 1 + seen["fake"])
    np.testing.assert_allclose(report["d/loss"], margins.mean(), rtol=1e-5)
    np.testing.assert_allclose(report["g/loss"], -seen["fake for g"].mean(), rtol=1e-5)


@pytest.mark.parametrize("row, term", [("wgan_gp", terms.gradient_penalty), ("dragan", terms.dragan)])
def test_penalties_have_the_papers_weight_of_10(row, term):
    def report(**changes):
        return played(game(row, learning_rate=1e-9, n_critic=1, **changes))[2][0]

    one, ten = report(penalty=(term(1.0),)), report()
    np.testing.assert_allclose(ten["d/penalty"], 10 * one["d/penalty"], rtol=1e-4)
    np.testing.assert_allclose(ten["d/loss"] - ten["d/penalty"], one["d/loss"] - one["d/penalty"], rtol=1e-4)
    assert ten["d/penalty"] > 0


def scores(game, state):
    """Returns the discriminator's scores in the first step, with the keys of each turn and initial parameters."""
    key, seen = jax.random.fold_in(state.key, 0), {}
    nets = bind(game, state.players)
    for turn, (real, fake) in enumerate((("real", "fake"), ("real for g", "fake for g"))):
        z_keys, *_ = split(example_keys(jax.random.fold_in(key, turn), BATCH), 6)
        seen[fake] = np.asarray(nets["d"](nets["g"](normal(z_keys, Z))))
        seen[real] = np.asarray(nets["d"](batches(game, 1)["x"][0, 0]))
    return seen
