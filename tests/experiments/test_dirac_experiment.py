"""The Dirac-GAN, played by the engine, follows the closed forms."""

from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import init, losses
from gan_jax.config import user_code
from gan_jax.config.discovery import find
from gan_jax.data import open_source
from gan_jax.engine import dynamics
from gan_jax.penalties import terms
from gan_jax.toy import dirac_theory
from gan_jax.toy.dirac import path, preview

H, STEPS = 0.1, 60
PLAIN, R1 = dirac_theory.jacobian(), dirac_theory.jacobian(gamma=1.0)

ROWS = {
    "plain": ({}, dirac_theory.simultaneous(PLAIN, H)),
    "alternating": ({"simultaneous": False}, dirac_theory.alternating(PLAIN, H)),
    "r1": ({"penalty": (terms.r1(1.0),)}, dirac_theory.simultaneous(R1, H)),
    "consensus": (
        {"dynamics": dynamics.consensus(1.0)},
        dirac_theory.simultaneous(dirac_theory.consensus(PLAIN, 1.0), H),
    ),
    "symplectic": (
        {"dynamics": dynamics.symplectic(1.0)},
        dirac_theory.simultaneous(dirac_theory.symplectic(PLAIN, 1.0), H),
    ),
    "extragradient": (
        {"dynamics": dynamics.extragradient},
        dirac_theory.simultaneous(dirac_theory.extragradient(PLAIN, H), H),
    ),
}


def built(**changes):
    """Builds the experiment with changed flags."""
    module = user_code.load(find("dirac").file)
    row = module.PRESETS["dirac"]
    return module.build(open_source("dirac"), row.run, replace(row.presets["good"], **changes))


@cache
def played(row, **more):
    [phase] = built(learning_rate=H, **ROWS[row][0], **more).phases
    return np.asarray(path(phase.game, STEPS), float)


@pytest.mark.parametrize("row", ROWS)
def test_path_equals_the_closed_form(row):
    np.testing.assert_allclose(
        played(row), dirac_theory.trajectory(ROWS[row][1], (1.0, 1.0), STEPS), rtol=1e-4, atol=1e-5
    )


def test_gradient_play_diverges_and_regularized_play_converges():
    final = {row: np.linalg.norm(played(row)[-1]) for row in ROWS}
    assert final["plain"] > np.sqrt(2) * 1.3
    assert final["alternating"] == pytest.approx(np.sqrt(2), rel=0.1)
    assert all(final[row] < np.sqrt(2) * 0.8 for row in ("r1", "consensus", "symplectic", "extragradient"))


def test_non_saturating_loss_has_the_closed_form_rate_near_the_equilibrium():
    """The loss has slope 1/2 at score 0 but is nonlinear, so the rate holds only asymptotically."""
    path = played("consensus", loss=losses.non_saturating)
    update = dirac_theory.simultaneous(dirac_theory.consensus(dirac_theory.jacobian(slope=0.5), 1.0), H)
    late = np.arange(STEPS // 2, STEPS + 1)
    rate = np.exp(np.polyfit(late, np.log(np.linalg.norm(path[late], axis=1)), 1)[0])
    assert rate == pytest.approx(dirac_theory.convergence_rate(update), abs=2e-3)


def test_preview_of_a_loss_that_compares_examples():
    [phase] = built(loss=losses.cramer).phases
    state = init(phase.game, jax.random.key(0), {"x": jnp.zeros((1, 2, 1))})
    assert len(np.unique(preview(phase.game)(state).reshape(-1, 3), axis=0)) > 10
