"""The options of the original game: penalties, dynamics."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from arena import Discriminator, Generator, Z, batches, sgd

from gan_jax import BadInput, init, make_step, penalties
from gan_jax.engine import dynamics
from gan_jax.games import vanilla
from gan_jax.penalties import terms


def played(steps=2, **kwargs):
    game = vanilla.game(Generator(norm=False), Discriminator(), sgd, sgd, z_size=Z, **kwargs)
    data = batches(game, steps)["x"]
    state, reports = jax.jit(partial(init, game))(jax.random.key(0), {"x": data[0]}), []
    step = jax.jit(make_step(game))
    for x in data:
        state, metrics = step(state, {"x": x})
        reports.append({name: float(value) for name, value in metrics.items()})
    return state, reports


@pytest.mark.medium
def test_lecam_averages_the_scores_of_the_loss_over_steps():
    state, reports = played(steps=3, penalties=(terms.lecam(0.5),))
    anchors = state.players["lecam"].stats["averages"]
    for side in ("real", "fake"):
        expected = sum(0.01 * 0.99 ** (2 - i) * report[f"d/score_{side}"] for i, report in enumerate(reports))
        np.testing.assert_allclose(anchors[side], expected, rtol=1e-4)
    assert len({report["d/penalty"] for report in reports}) == 3


@pytest.mark.medium
def test_penalty_is_reported_by_the_player_that_has_it():
    _, [d_only, _] = played(penalties=(terms.r1(1.0),))
    _, [g_only, _] = played(penalties=(terms.zcr_g(1.0, Z, 0.1),))
    assert "d/penalty" in d_only and "g/penalty" not in d_only
    assert "g/penalty" in g_only and "d/penalty" not in g_only


def test_dynamics_of_several_players_refuse_alternating_turns():
    for each in (dynamics.consensus(0.1), dynamics.symplectic(), dynamics.extragradient, dynamics.competitive(0.1)):
        with pytest.raises(BadInput, match=r"simultaneous moves, but in this turn only \['d'\] move"):
            played(turns=partial(vanilla.alternating, dynamics=each))


def test_penalties_of_packs_use_the_gradient_by_the_whole_pack():
    """A critic of packs of four with gradient norm 1 has gradient penalty 0."""

    def critic(x):
        return x.reshape(-1, 4 * 2) @ jnp.full(8, 8**-0.5)

    x = jax.random.normal(jax.random.key(0), (12, 2))
    np.testing.assert_allclose(penalties.r1(critic, x), np.full(3, 0.5), rtol=1e-6)
    gap = penalties.gradient_penalty(critic, x, -x, jax.random.split(jax.random.key(1), 12))
    np.testing.assert_allclose(gap, np.zeros(3), atol=1e-10)
