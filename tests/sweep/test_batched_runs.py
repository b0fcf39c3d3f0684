"""A batched run equals a single run: to the bit with `exact`, closely under vmap, whatever the other runs do."""

from functools import cache

import duel
import jax
import numpy as np
import pytest
from jax.sharding import PartitionSpec

from gan_jax.config.flags import parse
from gan_jax.data import open_source
from gan_jax.engine.parallel import make_mesh
from gan_jax.runs.digest import digest
from gan_jax.runs.run_dir import RunDir
from gan_jax.sweep.batched_runs import BatchedRuns, logged, run_state, trainable
from gan_jax.sweep.grid import combinations, parse_vary
from gan_jax.training.loop import play
from gan_jax.training.train import train

TWO_PHASES = ("--images", "240")

source = cache(lambda: open_source("ring"))


def batched(*vary, seeds=(0,), exact=False, flags=()):
    cells = combinations(lambda argv: duel.experiment, flags, parse_vary(vary), "toy")
    devices = jax.devices() if exact else jax.devices()[: 4 if len(cells) * len(seeds) == 4 else 1]
    return BatchedRuns(duel.experiment, source(), cells, seeds, exact, make_mesh(devices))


def played(runs):
    """Trains all runs; returns their final state, and their last metrics and scores."""
    common = runs.experiment.common
    *_, reached = play(trainable(runs), runs.plan, common, 0, None, stop=lambda: False)
    return reached.state, jax.device_get(reached.metrics | reached.evaluate())


def assert_close(ours, theirs):
    for a, b in zip(jax.tree.leaves(ours.players), jax.tree.leaves(theirs.players), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    assert digest(ours.key) == digest(theirs.key) and int(ours.step) == int(theirs.step)


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    """Returns `single(*flags)`, the final state of `gan-jax train`."""

    @cache
    def run(*flags):
        folder = tmp_path_factory.mktemp("run")
        kwargs = parse(duel.experiment, list(flags), "toy", given=["source"]).kwargs
        return train(duel.experiment(source(), **kwargs), source(), RunDir(folder))

    return run


@pytest.mark.slow
def test_exact_run_equals_a_single_run_to_the_bit(single):
    state, _ = played(batched(seeds=(0, 3), exact=True, flags=TWO_PHASES))
    assert digest(run_state(state, 0)) == digest(single(*TWO_PHASES, "--seed", "0"))
    assert digest(run_state(state, 1)) == digest(single(*TWO_PHASES, "--seed", "3"))
    assert digest(run_state(state, 0)) != digest(run_state(state, 1))


@pytest.mark.slow
def test_runs_with_different_settings_and_seeds_are_close_to_single_runs(single):
    state, metrics = played(batched("learning_rate=0.01,0.05", seeds=(0, 3), flags=TWO_PHASES))
    assert all(value.shape == (4,) for value in metrics.values())
    assert metrics["d/loss"].std() > 1e-4 and metrics["spread"].std() > 1e-4
    assert_close(run_state(state, 1), single(*TWO_PHASES, "--seed", "3"))
    assert_close(run_state(state, 2), single(*TWO_PHASES, "--learning-rate", "0.05", "--seed", "0"))


@pytest.mark.slow
def test_diverging_run_does_not_change_the_others():
    beside, metrics = played(batched("penalty=r1:0.1,r1:1e30", seeds=(0, 1)))
    alone, _ = played(batched("penalty=r1:0.1", seeds=(1,)))
    assert_close(run_state(beside, 1), run_state(alone, 0))
    assert np.isfinite(metrics["d/loss"]).tolist() == [True, True, False, False]


def test_logged_names_are_known_before_training():
    names = logged(batched("learning_rate=0.1,0.2", seeds=(0, 1)))
    assert {"d/loss", "g/loss", "d/grad_norm", "spread"} <= set(names)


def test_experiment_that_branches_on_a_varied_float_raises():
    with pytest.raises(jax.errors.TracerBoolConversionError):
        logged(batched("momentum=0.5,0.9"))


@pytest.mark.slow
def test_runs_sharded_over_devices_are_close_to_runs_on_one():
    four = batched(seeds=range(4))
    assert four.mesh.size == 4 and four.placement.inputs.spec == PartitionSpec(None, "batch")
    shared, _ = played(four)
    assert {shard.data.shape[0] for shard in shared.key.addressable_shards} == {1}
    alone, _ = played(four._replace(mesh=make_mesh(jax.devices()[:1])))
    for i in (0, 3):
        assert_close(run_state(shared, i), run_state(alone, i))
    assert batched(exact=True).placement.inputs.spec == PartitionSpec(None, None, None, "batch")
