"""Adaptive augmentation: the controller against scripted discriminators, and the game around it."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from arena import BATCH, Discriminator, Generator, Z, batches, negative, sgd

from gan_jax import BadInput, init, make_step
from gan_jax.augment.ada import bgc
from gan_jax.games import vanilla
from gan_jax.games.adaptive import Strength, adaptive


def settled(share, start=0.0, steps=400, **options):
    """Returns p over updates where `share(p)` of the real scores are positive."""
    controller, p, found = Strength(ramp=1000.0, every=1, **options), start, []
    update = jax.jit(lambda p, s: controller.apply({"ada": {"p": p}}, s, mutable=["ada"])[0])
    for _ in range(steps):
        positive = np.arange(10) < round(10 * share(p))
        p = float(update(jnp.float32(p), jnp.where(positive, 1.0, -1.0)))
        found.append(p)
    return found


@pytest.mark.parametrize("start", [0.0, 1.0])
def test_probability_settles_where_the_signs_have_their_target(start):
    """A discriminator that knows the training images the less, the more they are augmented: mean sign 1 - p."""
    found = settled(lambda p: 1 - p / 2, start)
    assert found[-1] == pytest.approx(0.4, abs=0.11), "shares are tenths"
    assert np.ptp(found[-20:]) <= 0.011, "one update up, one down"


def test_probability_stays_in_its_range_and_moves_at_most_once_through_it_in_the_ramp():
    assert settled(lambda p: 0.5, start=0.3)[-1] == 0
    up = settled(lambda p: 1.0)
    assert up[-1] == 1 and up[:3] == pytest.approx([0.01, 0.02, 0.03])


def test_evaluation_and_reading_leave_it():
    controller, variables = Strength(), {"ada": {"p": jnp.float32(0.3)}}
    assert controller.apply(variables, jnp.ones(4)) == controller.apply(variables) == jnp.float32(0.3)
    assert controller.init(jax.random.key(0)) == {"ada": {"p": 0}}


def played(game, steps):
    data = batches(game, steps)["x"]
    state, step, reports = jax.jit(partial(init, game))(jax.random.key(0), {"x": data[0]}), jax.jit(make_step(game)), []
    for x in data:
        state, report = step(state, {"x": x})
        reports.append(report)
    return state, reports


@pytest.mark.medium
def test_game_is_the_same_until_the_first_update_and_then_not():
    """p is 0 in the first step, and what the controller reads are scores of augmented real examples."""
    plain = vanilla.game(Generator(norm=False), Discriminator(), sgd, sgd, z_size=Z)
    state, reports = played(adaptive(plain, negative, strength=Strength(target=-2.0, ramp=8.0 * BATCH)), 5)
    _, expected = played(plain, 2)
    np.testing.assert_allclose(reports[0]["d/loss"], expected[0]["d/loss"], rtol=1e-5)
    assert abs(reports[1]["d/loss"] / expected[1]["d/loss"] - 1) > 1e-4
    assert [float(report["ada/p"]) for report in reports] == [0.5, 0, 0, 0, 1.0], "reported in its own steps"
    assert state.players["ada"].stats == {"ada": {"p": 1.0}} and state.players["ada"].params == {}


def test_two_controllers_of_one_player_are_refused():
    game = adaptive(vanilla.game(Generator(), Discriminator(), sgd, sgd, z_size=Z), bgc)
    assert set(adaptive(game, bgc, player="g").players) == {"g", "d", "ada", "ada_g"}
    with pytest.raises(BadInput, match="player 'd' are augmented with adaptive strength twice: give ada once"):
        adaptive(game, bgc)
