"""Nonfinite numbers: step and moves are named, the state is not saved, a run may roll back."""

import json
import math
from dataclasses import replace

import jax
import jax.numpy as jnp
import optax
import pytest
import tiny

from gan_jax.cli.main import main
from gan_jax.config.experiment import Experiment, Phase, RunConfig, schedule_phases
from gan_jax.data import open_source
from gan_jax.engine.game import PlayerState, State
from gan_jax.engine.keys import example_keys, named_key, uniform
from gan_jax.engine.parallel import make_mesh
from gan_jax.games import vanilla
from gan_jax.monitoring.finite import NonFinite, check_finite, check_parameters
from gan_jax.nets import mlp
from gan_jax.runs.checkpoint import Checkpoints
from gan_jax.runs.digest import digest
from gan_jax.runs.run_dir import RunDir
from gan_jax.training.chunk import mean, over_steps
from gan_jax.training.train import abstract_state, chunks, train

RECORD = {"step": 40, "images": 320, "seconds": 1.0, "d/loss": 0.7, "g/loss": 0.9, "fid": math.nan}


def test_error_names_the_first_nonfinite_step_and_its_moves():
    check_finite(RECORD, before=20)
    sound = {"d/finite_steps": 7.0, "g/finite_steps": 6.0, "r1/finite_steps": 6.0}
    with pytest.raises(NonFinite, match=r"^the numbers of g and r1 are not finite from step 27 on: lower"):
        check_finite(RECORD | sound, before=20)


@pytest.mark.parametrize("what", ["loss", "grad_norm"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_chunk_counts_the_steps_before_the_first_nonfinite_one(what, value):
    """Only step 3 is nonfinite, but later steps do not count; scores may be infinite, as under a clipped loss."""

    def step(state, batch, measured):
        bad = jnp.where(state.step == 3, value, 1.0)
        fine = {name: jnp.float32(1) for name in ("g/loss", "d/loss", "d/grad_norm")}
        return state._replace(step=state.step + 1), fine | {f"d/{what}": bad, "d/score_real": jnp.float32(value)}

    start = State(jnp.int32(0), jax.random.key(0), {})
    for n, sound in ((3, 3), (8, 3)):
        _, sums = over_steps(step, lambda arrays, inputs: {})(start, (), jnp.zeros((8, 1)), jnp.int32(n))
        metrics = mean(sums)
        assert (metrics["d/finite_steps"], metrics["g/finite_steps"]) == (sound, n)


def test_nonfinite_run_gives_a_one_line_error_and_is_not_saved(tmp_path, capfd):
    """At this learning rate the first updates overflow float32."""
    for _ in range(2):  # repeating the command gives the same error
        with pytest.raises(SystemExit) as done:
            main(["train", tiny.__file__, "--learning-rate", "1e38", "--run-dir", str(tmp_path / "run")])
        _, errors = capfd.readouterr()
        assert done.value.code == 3
        assert errors.splitlines()[-1].startswith("gan-jax: the numbers of g are not finite from step 1 on: lower")
        [record] = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
        assert record["step"] == 20 and record["g/finite_steps"] == 0
        assert Checkpoints(tmp_path / "run" / "checkpoints").steps() == []


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_parameters_that_are_not_finite_are_not_saved(value):
    """A finite gradient may still give an update that overflows."""
    leaves = {"kernel": jnp.zeros((2, 3), jnp.bfloat16), "count": jnp.zeros((), jnp.int32)}
    fine = PlayerState(leaves, {}, (), None)
    check_parameters(State(jnp.int32(7), jax.random.key(0), {"d": fine, "g": fine}))
    broken = fine._replace(params=leaves | {"kernel": leaves["kernel"].at[1, 2].set(value)})
    with pytest.raises(NonFinite, match=r"^the numbers of g are not finite from step 7 on"):
        check_parameters(State(jnp.int32(7), jax.random.key(0), {"d": fine, "g": broken}))


COMMON = RunConfig(images=480, batch_size=8, log_every=10, sample_every=30, checkpoint_every=20, rollbacks=2)


def unlucky(at, always=False):
    """Makes an experiment whose generator loss is NaN at step index `at`, if the keys are those of seed 0."""
    source = open_source("mnist5k")
    g, d = mlp.Generator(shape=source.shape, widths=(8,)), mlp.Discriminator(widths=(8,))
    game = vanilla.game(g, d, optax.adam(1e-3), optax.adam(1e-3), z_size=4)
    first, second = game.turns
    [move] = second.moves
    then = jax.random.fold_in(named_key(jax.random.key(0), "play"), at)
    unlucky = uniform(example_keys(jax.random.fold_in(then, 1), 8))[0]

    def loss(nets, batch, keys, step):
        value, report = move.loss(nets, batch, keys, step)
        return jnp.where((step == at) & (always | (uniform(keys)[0] == unlucky)), jnp.nan, value), report

    game = game._replace(turns=(first, second._replace(moves=(move._replace(loss=loss),))))
    return Experiment((Phase(game, COMMON.images),), COMMON, grid=(2, 3)), source


def trained(folder, at, stop=lambda: False, **kwargs):
    experiment, source = unlucky(at, **kwargs)
    (folder / "samples").mkdir(parents=True, exist_ok=True)
    return train(experiment, source, RunDir(folder), stop)


@pytest.mark.slow
def test_rollback_restores_the_last_checkpoint_and_changes_the_key(tmp_path, capfd):
    end = trained(tmp_path / "run", at=45)
    folder = RunDir(tmp_path / "run")
    assert "the numbers of g are not finite from step 46 on; continuing from step 40" in capfd.readouterr().err
    assert folder.read_rollbacks() == [{"step": 46, "to": 40, "moves": ["g"]}]
    records = folder.records()
    assert [record["step"] for record in records] == [10, 20, 30, 40, 50, 60]
    assert all(math.isfinite(value) for record in records for value in record.values())

    # The same by hand: the state of step 40 with a folded key.
    experiment, source = unlucky(45)
    [stage] = schedule_phases(experiment)
    state = Checkpoints(folder.checkpoints).restore(abstract_state(stage.game, source, COMMON, make_mesh()), 40)
    state = state._replace(key=jax.random.fold_in(state.key, 1))
    *_, (_, state, _) = chunks(stage, state, COMMON, source, make_mesh())
    assert digest(state) == digest(end)


@pytest.mark.slow
@pytest.mark.medium
def test_state_whose_last_update_overflowed_is_not_saved(tmp_path):
    """All losses and gradients are finite: without the check, the run would resume from the broken state for ever."""
    experiment, source = unlucky(at=COMMON.images)  # never
    [phase] = experiment.phases
    g = phase.game.players["g"]
    game = phase.game._replace(players=phase.game.players | {"g": g._replace(tx=overflowing(at=59))})
    (tmp_path / "samples").mkdir()
    once = experiment._replace(phases=(Phase(game, COMMON.images),), common=replace(COMMON, rollbacks=0))
    with pytest.raises(NonFinite, match=r"^the numbers of g are not finite from step 60 on"):
        train(once, source, RunDir(tmp_path))
    assert Checkpoints(tmp_path / "checkpoints").steps() == [20, 40]
    records = RunDir(tmp_path).records()
    assert all(math.isfinite(value) for record in records for name, value in record.items() if "/" in name)


def overflowing(at):
    """Makes an optimizer whose update number `at` is infinite."""
    return optax.chain(optax.sgd(1e-3), optax.scale_by_schedule(lambda count: jnp.where(count == at, jnp.inf, 1.0)))


@pytest.mark.slow
def test_run_killed_after_a_rollback_ends_in_the_same_bits(tmp_path):
    end = digest(trained(tmp_path / "whole", at=45))
    there = tmp_path / "killed"
    trained(there, at=45, stop=lambda: (there / "rollbacks.jsonl").exists())
    assert Checkpoints(there / "checkpoints").steps() == [20, 40]
    assert digest(trained(there, at=45)) == end
    assert RunDir(there).read_rollbacks() == RunDir(tmp_path / "whole").read_rollbacks()


@pytest.mark.slow
def test_rollback_without_a_checkpoint_restarts_from_step_0(tmp_path):
    state = trained(tmp_path, at=5)
    assert [each["to"] for each in RunDir(tmp_path).read_rollbacks()] == [0]
    assert int(state.step) == 60 and RunDir(tmp_path).records()[0]["step"] == 10


@pytest.mark.slow
def test_rollbacks_are_limited(tmp_path):
    with pytest.raises(NonFinite, match="the numbers of g are not finite from step 26 on"):
        trained(tmp_path, at=25, always=True)
    assert [each["to"] for each in RunDir(tmp_path).read_rollbacks()] == [20, 20]
    with pytest.raises(NonFinite):
        trained(tmp_path, at=25, always=True)
    assert len(RunDir(tmp_path).read_rollbacks()) == 2
