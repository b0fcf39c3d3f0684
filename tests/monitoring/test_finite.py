"""Numbers that are not finite: the step and the move are named, nothing of it is saved, a run may go back."""

import json
import math

import jax
import jax.numpy as jnp
import optax
import pytest
import tiny

from gan_jax.cli.main import main
from gan_jax.config.experiment import Experiment, Phase, RunConfig, schedule_phases
from gan_jax.data import open_source
from gan_jax.engine.game import State
from gan_jax.engine.keys import example_keys, named_key, uniform
from gan_jax.engine.parallel import make_mesh, over_steps
from gan_jax.games import vanilla
from gan_jax.monitoring.finite import NonFinite, check_finite
from gan_jax.nets import mlp
from gan_jax.runs.checkpoint import Checkpoints
from gan_jax.runs.digest import digest
from gan_jax.runs.run_dir import RunDir
from gan_jax.training.train import abstract_state, chunks, train

RECORD = {"step": 40, "images": 320, "seconds": 1.0, "d/loss": 0.7, "g/loss": 0.9, "fid": math.nan}


def test_the_first_step_and_the_moves_that_broke_in_it_are_named():
    check_finite(RECORD, before=20)
    sound = {"d/finite_steps": 7.0, "g/finite_steps": 6.0, "r1/finite_steps": 6.0}
    with pytest.raises(NonFinite, match=r"^the numbers of g and r1 are not finite from step 27 on: lower"):
        check_finite(RECORD | sound, before=20)


@pytest.mark.parametrize("what", ["loss", "grad_norm", "update_norm"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_chunk_counts_the_steps_before_the_first_that_is_not_finite(what, value):
    """It heals after step 3, which changes nothing; scores of a clipped loss may be what they want."""

    def step(state, batch):
        bad = jnp.where(state.step == 3, value, 1.0)
        fine = {name: jnp.float32(1) for name in ("g/loss", "d/loss", "d/grad_norm", "d/update_norm")}
        return state._replace(step=state.step + 1), fine | {f"d/{what}": bad, "d/score_real": jnp.float32(value)}

    start = State(jnp.int32(0), jax.random.key(0), {})
    for n, sound in ((3, 3), (8, 3)):
        _, metrics = over_steps(step, lambda arrays, inputs: {})(start, (), jnp.zeros((8, 1)), jnp.int32(n))
        assert (metrics["d/finite_steps"], metrics["g/finite_steps"]) == (sound, n)


def test_a_run_that_breaks_is_told_in_a_line_and_is_not_saved(tmp_path, capfd):
    """At such a learning rate the first updates lead beyond every float32."""
    for _ in range(2):  # the same command comes to the same end
        with pytest.raises(SystemExit) as done:
            main(["train", tiny.__file__, "--learning-rate", "1e38", "--run-dir", str(tmp_path / "run")])
        _, errors = capfd.readouterr()
        assert done.value.code == 3
        assert errors.splitlines()[-1].startswith(
            "gan-jax: the numbers of d and g are not finite from step 1 on: lower"
        )
        [record] = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
        assert record["step"] == 20 and record["d/finite_steps"] == 0
        assert Checkpoints(tmp_path / "run" / "checkpoints").steps() == []


COMMON = RunConfig(images=480, batch_size=8, log_every=10, sample_every=30, checkpoint_every=20, rollbacks=2)


def unlucky(at, always=False):
    """An experiment whose generator's loss is not a number in the step of index `at`, if the keys are seed 0's."""
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


def test_it_goes_back_to_the_last_checkpoint_and_on_with_other_random_numbers(tmp_path, capfd):
    end = trained(tmp_path / "run", at=45)
    folder = RunDir(tmp_path / "run")
    assert "the numbers of g are not finite from step 46 on; back to step 40, and on" in capfd.readouterr().err
    assert folder.read_rollbacks() == [{"step": 46, "to": 40, "moves": ["g"]}]
    records = folder.records()
    assert [record["step"] for record in records] == [10, 20, 30, 40, 50, 60]
    assert all(math.isfinite(value) for record in records for value in record.values())

    # The same by hand: the state of step 40 under a folded key, played on.
    experiment, source = unlucky(45)
    [stage] = schedule_phases(experiment)
    state = Checkpoints(folder.checkpoints).restore(abstract_state(stage.game, source, COMMON, make_mesh()), 40)
    state = state._replace(key=jax.random.fold_in(state.key, 1))
    *_, (_, state, _) = chunks(stage, state, COMMON, source, make_mesh())
    assert digest(state) == digest(end)


def test_a_run_that_is_killed_after_going_back_ends_in_the_same_bytes(tmp_path):
    end = digest(trained(tmp_path / "whole", at=45))
    there = tmp_path / "killed"
    trained(there, at=45, stop=lambda: (there / "rollbacks.jsonl").exists())
    assert Checkpoints(there / "checkpoints").steps() == [20, 40]
    assert digest(trained(there, at=45)) == end
    assert RunDir(there).read_rollbacks() == RunDir(tmp_path / "whole").read_rollbacks()


def test_before_the_first_checkpoint_it_goes_back_to_the_start(tmp_path):
    state = trained(tmp_path, at=5)
    assert [each["to"] for each in RunDir(tmp_path).read_rollbacks()] == [0]
    assert int(state.step) == 60 and RunDir(tmp_path).records()[0]["step"] == 10


def test_it_goes_back_no_more_than_it_may(tmp_path):
    with pytest.raises(NonFinite, match="the numbers of g are not finite from step 26 on"):
        trained(tmp_path, at=25, always=True)
    assert [each["to"] for each in RunDir(tmp_path).read_rollbacks()] == [20, 20]
    with pytest.raises(NonFinite):
        trained(tmp_path, at=25, always=True)
    assert len(RunDir(tmp_path).read_rollbacks()) == 2
