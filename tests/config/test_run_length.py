"""A run of another length is the run that it began as: schedules and borders of phases stay where they are."""

from pathlib import Path

import halves
import jax
import jax.numpy as jnp
import optax
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stepping import built, schedules

from gan_jax.config.experiment import Phase
from gan_jax.config.run_length import fit_phases
from gan_jax.data import open_source
from gan_jax.games import vanilla
from gan_jax.toy.networks import DiracDiscriminator, DiracGenerator

SCHEDULED = {"ring": "ring", "grid": "grid", halves.__file__: "dirac"}
"""Experiments whose build uses the length, and their data."""

GAME = vanilla.game(DiracGenerator(), DiracDiscriminator(), optax.sgd(0.1), optax.sgd(0.1), z_size=1)


@pytest.fixture
def penalties(monkeypatch):
    """Collects the penalties of all games that are built."""
    found, real = [], vanilla.game
    monkeypatch.setattr(
        vanilla, "game", lambda *args, **flags: found.extend(flags.get("penalties", ())) or real(*args, **flags)
    )
    return found


def plan(name, penalties, *flags):
    """Returns the steps of every phase, and its optimizers and weights of penalties as text, schedules included."""
    penalties.clear()
    experiment = built(name, "--batch-size", "8", *flags, source=open_source(SCHEDULED[name]))
    steps, optimizers = zip(*schedules(experiment), strict=True)
    return steps, optimizers, [str(jax.make_jaxpr(penalty.weight)(jnp.int32(0))) for penalty in penalties]


@pytest.mark.parametrize("name", SCHEDULED)
def test_longer_and_shorter_runs_are_the_same_functions_of_the_step(name, penalties):
    steps, optimizers, weights = plan(name, penalties, "--images", "160")
    longer = plan(name, penalties, "--images", "320", "--schedule-images", "160")
    assert longer == ((*steps[:-1], range(steps[-1].start, 40)), optimizers, weights)
    shorter = plan(name, penalties, "--images", "40", "--schedule-images", "160")
    assert shorter == ((range(5),), optimizers[:1], weights)
    assert plan(name, penalties, "--images", "320")[1] != optimizers, "nothing depends on the length"


@given(st.lists(st.integers(1, 20), min_size=1, max_size=4), st.integers(-60, 60))
def test_phases_stay_in_place_and_the_last_continues_or_is_cut(lengths, more):
    fitted = [phase.images for phase in fit_phases([Phase(GAME, images) for images in lengths], more)]
    assert sum(fitted) == max(1, sum(lengths) + more)
    assert fitted[:-1] == lengths[: len(fitted) - 1]
    assert len(fitted) == len(lengths) if more >= 0 else fitted[-1] <= lengths[len(fitted) - 1]


def test_file_sees_the_length_of_its_schedules_and_the_loop_that_of_the_run(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(Path(halves.__file__).read_text().replace("half =", "assert common.images == 160\n    half ="))
    experiment = built(str(file), "--images", "320", "--schedule-images", "160", source=open_source("dirac"))
    assert experiment.common.images == 320 and experiment.common.schedule_images == 160


@pytest.mark.parametrize("name", ["ring", "grid"])
def test_annealed_penalties_hold_their_last_value(name, penalties):
    plan(name, penalties, "--images", "160")
    for penalty in penalties:
        start, middle, end, later = (float(penalty.weight(jnp.int32(step))) for step in (0, 10, 20, 50))
        assert start > middle > end == later > 0
    assert len(penalties) == 2


@pytest.mark.parametrize(
    "schedule",
    [
        optax.linear_schedule(1.0, 0.1, 10),
        optax.polynomial_schedule(1.0, 0.1, 2, 10),
        optax.cosine_decay_schedule(1.0, 10, alpha=0.1),
        optax.warmup_cosine_decay_schedule(0.0, 1.0, 3, 10, 0.1),
        optax.exponential_decay(1.0, 10, 0.1, end_value=0.1),
        optax.piecewise_constant_schedule(1.0, {3: 0.5, 7: 0.1}),
    ],
)
def test_schedules_of_optax_that_have_an_end_hold_their_last_value(schedule):
    with jax.numpy_dtype_promotion("standard"):  # of optax
        before, end, later = (float(schedule(jnp.int32(step))) for step in (2, 10, 50))
    assert before != end == later
