"""A lane is a single run: to the bit with `exact`, and close to it side by side, whoever plays beside it."""

from functools import cache

import duel
import jax
import numpy as np
import pytest
from jax.sharding import PartitionSpec

from gan_jax.config.flags import parse
from gan_jax.data import open_source
from gan_jax.engine.game import State
from gan_jax.engine.parallel import make_mesh
from gan_jax.runs.digest import digest
from gan_jax.runs.run_dir import RunDir
from gan_jax.sweep.batched_runs import Lanes, logged, runner
from gan_jax.sweep.grid import combinations, parse_vary
from gan_jax.training.loop import play
from gan_jax.training.train import train

TWO_PHASES = ("--images", "240")

source = cache(lambda: open_source("ring"))


def lanes(*vary, seeds=(0,), exact=False, flags=()):
    cells = combinations(duel.experiment, flags, parse_vary(vary), "toy")
    devices = jax.devices() if exact else jax.devices()[: 8 if len(cells) * len(seeds) % 8 == 0 else 1]
    return Lanes(duel.experiment, source(), cells, seeds, exact, make_mesh(devices))


def played(program):
    """The state that the lanes end in, and what was logged at the end."""
    common = program.experiment.common
    *_, reached = play(runner(program), program.plan, common, 0, None, stop=lambda: False)
    return reached.state, jax.device_get(reached.metrics)


def lane(state, i):
    key, players = jax.tree.map(lambda leaf: leaf[i], (state.key, state.players))
    return State(state.step, key, players)


def assert_close(ours, theirs):
    for a, b in zip(jax.tree.leaves(ours.players), jax.tree.leaves(theirs.players), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    assert digest(ours.key) == digest(theirs.key) and int(ours.step) == int(theirs.step)


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    """`single(flags...)`: the state that `gan-jax train` ends in."""

    @cache
    def run(*flags):
        folder = tmp_path_factory.mktemp("run")
        kwargs = parse(duel.experiment, list(flags), "toy", given=["source"]).kwargs
        return train(duel.experiment(source(), **kwargs), source(), RunDir(folder))

    return run


def test_an_exact_lane_is_a_single_run_to_the_bit(single):
    state, _ = played(lanes(seeds=(0, 3), exact=True, flags=TWO_PHASES))
    assert digest(lane(state, 0)) == digest(single(*TWO_PHASES, "--seed", "0"))
    assert digest(lane(state, 1)) == digest(single(*TWO_PHASES, "--seed", "3"))
    assert digest(lane(state, 0)) != digest(lane(state, 1))


def test_lanes_with_numbers_and_seeds_of_their_own_are_close_to_single_runs(single):
    state, metrics = played(lanes("learning_rate=0.01,0.05", seeds=(0, 3), flags=TWO_PHASES))
    assert all(value.shape == (4,) for value in metrics.values())
    assert metrics["d/loss"].std() > 1e-4 and metrics["spread"].std() > 1e-4
    assert_close(lane(state, 1), single(*TWO_PHASES, "--seed", "3"))
    assert_close(lane(state, 2), single(*TWO_PHASES, "--learning-rate", "0.05", "--seed", "0"))


def test_a_lane_is_the_same_beside_one_that_diverges():
    beside, metrics = played(lanes("penalty=r1:0.1,r1:1e30", seeds=(0, 1)))
    alone, _ = played(lanes("penalty=r1:0.1", seeds=(1,)))
    assert_close(lane(beside, 1), lane(alone, 0))
    assert np.isfinite(metrics["d/loss"]).tolist() == [True, True, False, False]


def test_what_the_lanes_log_is_known_before_they_play():
    names = logged(lanes("learning_rate=0.1,0.2", seeds=(0, 1)))
    assert {"d/loss", "g/loss", "d/grad_norm", "spread"} <= set(names)


def test_an_experiment_that_branches_on_a_number_cannot_have_it_traced():
    with pytest.raises(jax.errors.TracerBoolConversionError):
        logged(lanes("momentum=0.5,0.9"))


def test_devices_share_the_lanes_where_they_can_and_it_does_not_matter():
    eight = lanes(seeds=range(8))
    assert len(jax.devices()) == 8 and eight.placement.inputs.spec == PartitionSpec(None, "batch")
    shared, _ = played(eight)
    assert {shard.data.shape[0] for shard in shared.key.addressable_shards} == {1}
    alone, _ = played(eight._replace(mesh=make_mesh(jax.devices()[:1])))
    for i in (0, 5):
        assert_close(lane(shared, i), lane(alone, i))
    assert lanes(exact=True).placement.inputs.spec == PartitionSpec(None, None, None, "batch")
