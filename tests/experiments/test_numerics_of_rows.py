"""Every network of a row plays in bfloat16, with all that is kept and reported in float32."""

import jax
import pytest
from stepping import SHARED, built, three_steps

from gan_jax import BadInput
from gan_jax.config import user_code
from gan_jax.config.discovery import entries
from gan_jax.data import open_source, stacked
from gan_jax.engine.parallel import make_mesh
from gan_jax.engine.step import frozen_variables
from gan_jax.games.numerics import Rematerialized
from gan_jax.runs.run_data import open_data
from gan_jax.training.train import abstract_batch, abstract_state


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(entries().keys() - SHARED - {"dirac"}))
def test_every_row_computes_in_bfloat16_and_keeps_float32(name):
    entry = entries()[name]
    run = user_code.load(entry.file).PRESETS[entry.row].run
    source = stacked(open_source("mnist5k"), n=64) if run.data.startswith("stacked") else open_data(run)
    experiment = built(name, "--images", "8", "--batch-size", "8", "--dtype", "bfloat16", source=source)
    source, game = experiment.played_on(source), experiment.phases[-1].game
    state = abstract_state(game, source, experiment.common, make_mesh(jax.devices()[:1]))
    batch, frozen = abstract_batch(game, source, experiment.common), jax.eval_shape(lambda: frozen_variables(game))
    traced = experiment.phases[-1].step.trace(state, batch, frozen)
    assert "bf16" in str(traced.jaxpr)
    after, metrics = traced.out_info
    kinds = {str(leaf.dtype) for leaf in jax.tree.leaves((after.players, metrics))}
    assert {"float32"} <= kinds <= {"float32", "int32"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wgan_gp", "projection"])
def test_steps_in_bfloat16_are_finite(name):
    three_steps(name, "--dtype", "bfloat16")


def test_games_without_networks_to_convert_are_refused():
    with pytest.raises(BadInput, match="player 'g' has no field dtype"):
        built("dirac", "--dtype", "bfloat16", source=open_source("dirac"))


def test_batches_without_equal_parts_are_refused_when_the_experiment_is_built():
    with pytest.raises(BadInput, match=r"^a batch of 8 has no 3 equal parts: give a multiple of 3$"):
        built("dirac", "--accumulate", "3", "--batch-size", "8", source=open_source("dirac"))
    experiment = built("dirac", "--accumulate", "4", "--batch-size", "8", source=open_source("dirac"))
    assert {phase.game.parts for phase in experiment.phases} == {4}


def test_settings_of_memory_leave_the_networks_and_add_to_each_other():
    source = open_source("dirac")
    (plain,), (phase,) = (
        built("dirac", *flags, source=source).phases for flags in ([], ["--remat", "--accumulate", "2"])
    )
    assert phase.game.parts == 2 and plain.game.parts == 1
    for name, player in phase.game.players.items():
        assert isinstance(player.net, Rematerialized) and player.net.net == plain.game.players[name].net
