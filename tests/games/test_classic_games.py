"""The papers' games on two players: their turns, losses, penalties and optimizers, by hand on tiny networks."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from arena import BATCH, Discriminator, Generator, Z, batches, step_batch

from gan_jax import bind, init, make_step
from gan_jax.engine.keys import example_keys, normal, split
from gan_jax.games import dragan, hinge, lsgan, wgan, wgan_gp

G, D = Generator(norm=False), Discriminator()


def played(game, steps=1):
    """State before and after, and the metrics of every step."""
    start = state = init(game, jax.random.key(0), step_batch(game))
    step, reports, data = jax.jit(make_step(game)), [], batches(game, steps)["x"]
    for x in data:
        state, metrics = step(state, {"x": x})
        reports.append({name: float(value) for name, value in metrics.items()})
    return start, state, reports, data


def movers(game):
    return "".join(name for turn in game.turns for move in turn.moves for name in move.who)


@pytest.mark.parametrize("make, critic_turns", [(wgan, 5), (wgan_gp, 5), (hinge, 5), (lsgan, 1), (dragan, 1)])
def test_the_discriminator_has_the_papers_turns(make, critic_turns):
    assert movers(make.game(G, D)) == critic_turns * "d" + "g"


@pytest.mark.parametrize("make", [wgan, wgan_gp, hinge])
def test_and_others_where_they_are_given(make):
    assert movers(make.game(G, D, n_critic=2)) == "ddg"


def test_the_critic_stays_within_the_clip_and_the_generator_does_not():
    _, state, _, _ = played(wgan.game(G, D, clip=0.02, learning_rate=1e-3, z_size=Z), steps=3)
    largest = {
        name: max(jnp.abs(leaf).max() for leaf in jax.tree.leaves(p.params)) for name, p in state.players.items()
    }
    assert largest["d"] == np.float32(0.02) < largest["g"]


@pytest.mark.parametrize("clip", [9.0, 0.05])
def test_the_first_update_of_rmsprop_does_not_depend_on_the_gradient(clip):
    """rate * gradient / sqrt(0.01 gradient^2), also for the small gradients that a clipped critic hands down."""
    start, state, _, _ = played(wgan.game(G, D, learning_rate=1e-4, n_critic=1, clip=clip, z_size=Z))
    moved = state.players["g"].params["Dense_0"]["kernel"] - start.players["g"].params["Dense_0"]["kernel"]
    np.testing.assert_allclose(np.median(np.abs(moved)), 1e-4 / 0.01**0.5, rtol=1e-2)


@pytest.mark.parametrize("make", [wgan_gp, hinge])
def test_adam_without_momentum_forgets_the_gradient_before(make):
    """The first moment is the last gradient itself where b1 is 0."""
    _, state, reports, _ = played(make.game(G, D, n_critic=1, z_size=Z), steps=2)
    adam = state.players["g"].opt[0]
    assert int(adam.count) == 2
    np.testing.assert_allclose(optax.tree.norm(adam.mu), reports[-1]["g/grad_norm"], rtol=1e-5)


@pytest.mark.parametrize("labels", [(0.0, 1.0, 1.0), (-1.0, 1.0, 0.0)])
def test_least_squares_pull_scores_to_their_labels(labels):
    a, b, c = labels
    game = lsgan.game(G, D, labels=labels, learning_rate=1e-9, z_size=Z)
    start, _, [report], _ = played(game)
    seen = scores(game, start)
    np.testing.assert_allclose(
        report["d/loss"], np.mean((seen["real"] - b) ** 2 + (seen["fake"] - a) ** 2) / 2, rtol=1e-5
    )
    np.testing.assert_allclose(report["g/loss"], np.mean((seen["fake for g"] - c) ** 2) / 2, rtol=1e-5)


def test_the_hinge_has_its_margins():
    game = hinge.game(G, D, n_critic=1, learning_rate=1e-9, z_size=Z)
    start, _, [report], _ = played(game)
    seen = scores(game, start)
    margins = np.maximum(0, 1 - seen["real"]) + np.maximum(0, 1 + seen["fake"])
    np.testing.assert_allclose(report["d/loss"], margins.mean(), rtol=1e-5)
    np.testing.assert_allclose(report["g/loss"], -seen["fake for g"].mean(), rtol=1e-5)


@pytest.mark.parametrize("make", [wgan_gp, dragan])
def test_penalties_weigh_what_the_papers_say(make):
    one, ten = (played(make.game(G, D, weight=w, learning_rate=1e-9, z_size=Z))[2][0] for w in (1.0, 10.0))
    np.testing.assert_allclose(ten["d/penalty"], 10 * one["d/penalty"], rtol=1e-4)
    np.testing.assert_allclose(ten["d/loss"] - ten["d/penalty"], one["d/loss"] - one["d/penalty"], rtol=1e-4)
    default = played(make.game(G, D, learning_rate=1e-9, z_size=Z))[2][0]
    assert default["d/penalty"] == ten["d/penalty"] > 0


def scores(game, state):
    """What the discriminator says in the first step, as far as nobody has moved: by the keys of each turn."""
    key, seen = jax.random.fold_in(state.key, 0), {}
    nets = bind(game, state.players)
    for turn, (real, fake) in enumerate((("real", "fake"), ("real for g", "fake for g"))):
        z_keys, *_ = split(example_keys(jax.random.fold_in(key, turn), BATCH), 6)
        seen[fake] = np.asarray(nets["d"](nets["g"](normal(z_keys, Z))))
        seen[real] = np.asarray(nets["d"](batches(game, 1)["x"][0, turn]))
    return seen
