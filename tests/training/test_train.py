"""The training loop: the files of a run, and resuming after any stop ends in the same bits."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import tiny
from flax import linen as nn
from jax.sharding import NamedSharding, PartitionSpec
from PIL import Image

from gan_jax.cli.main import main
from gan_jax.config.experiment import Experiment, Phase, RunConfig, ScheduledPhase, schedule_phases
from gan_jax.config.flags import parse
from gan_jax.data import open_source
from gan_jax.engine.game import State
from gan_jax.engine.parallel import make_mesh
from gan_jax.engine.step import init
from gan_jax.games import vanilla
from gan_jax.nets import mlp
from gan_jax.runs.checkpoint import Checkpoints
from gan_jax.runs.digest import digest
from gan_jax.runs.run_dir import RunDir
from gan_jax.sampling.preview import preview_latents
from gan_jax.sampling.sampler import sampler
from gan_jax.training import loop
from gan_jax.training.loop import carry_over, split_at_multiples
from gan_jax.training.train import check, chunks, logged, new_state, train

TINY = str(Path(tiny.__file__))
CACHE = str(Path(__file__).parents[2] / ".cache" / "xla")


def run(folder, *flags, stop=lambda: False):
    """Trains the tiny experiment in this process; returns the state it ends in."""
    parsed = parse(tiny.experiment, [*flags, "--run-dir", str(folder)], "tiny", given=["source"])
    source = open_source("mnist5k")
    RunDir(folder).samples.mkdir(parents=True, exist_ok=True)
    return train(tiny.experiment(source, **parsed.kwargs), source, RunDir(folder), stop)


def records(folder):
    """Returns the logged records without their times."""
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def pictures(folder):
    return {file.name: file.read_bytes() for file in (folder / "samples").glob("*.png")}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Trains the reference run; returns its folder and the digest of its last state."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return folder, digest(run(folder))


def test_run_writes_metrics_previews_and_checkpoints(undisturbed):
    folder, _ = undisturbed
    logged = records(folder)
    assert [r["step"] for r in logged] == [20, 30, 40, 50, 60, 80, 90, 100, 120]
    assert [r["images"] for r in logged] == [8 * r["step"] for r in logged]
    wanted = {"d/loss", "g/loss", "d/score_real", "d/accuracy_fake", "d/grad_norm", "g/grad_norm"}
    assert all(wanted <= r.keys() and all(np.isfinite(v) for v in r.values()) for r in logged)
    assert sorted(pictures(folder)) == [f"{images:010d}.png" for images in (240, 400, 480, 720, 960)]
    assert Image.open(folder / "samples" / "0000000960.png").size == (3 * 30 + 2, 2 * 30 + 2)
    assert Image.open(folder / "curves.png").size > (500, 300)
    assert Image.open(folder / "samples.gif").n_frames == 5
    assert Checkpoints(folder / "checkpoints").steps() == [80, 120]
    assert any(file.name.startswith("events") for file in (folder / "tensorboard").iterdir())


@pytest.mark.parametrize("stops", [(50,), pytest.param((30, 50, 80), marks=pytest.mark.slow)], ids=str)
def test_stopping_and_resuming_ends_in_the_same_bits(undisturbed, tmp_path, stops):
    """Stopped in the first phase, at its end (step 50) and in the second, and resumed each time."""
    folder, end = undisturbed
    for step in stops:
        run(tmp_path, stop=lambda step=step: any(r["step"] >= step for r in RunDir(tmp_path).records()))
        assert step <= Checkpoints(tmp_path / "checkpoints").latest() < 120
    assert digest(run(tmp_path)) == end
    assert records(tmp_path) == records(folder)
    assert pictures(folder).items() <= pictures(tmp_path).items()


def test_run_resumes_from_the_checkpoint_before_a_damaged_one(undisturbed, tmp_path, capfd):
    folder, end = undisturbed
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    before, last = Checkpoints(tmp_path / "checkpoints").steps()
    largest = max((tmp_path / "checkpoints" / str(last)).rglob("*"), key=lambda f: f.is_file() * f.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-100])
    capfd.readouterr()
    assert before == 80 and digest(run(tmp_path)) == end
    assert f"the checkpoint of step {last} is damaged, and has been moved to" in capfd.readouterr().err
    assert (tmp_path / "damaged" / str(last)).is_dir()
    assert records(tmp_path) == records(folder)


@pytest.mark.slow
def test_extended_shorter_run_ends_in_the_same_bits(undisturbed, tmp_path):
    run(tmp_path, "--images", "720")
    assert digest(run(tmp_path)) == undisturbed[1]


@pytest.mark.slow
@pytest.mark.skipif(
    "fusion_emitters=false" in os.environ["XLA_FLAGS"], reason="rounds two programs apart: make test-slow"
)
def test_both_pipelines_end_in_the_same_bits(undisturbed, tmp_path, monkeypatch):
    """Also where the inputs of a chunk are dispatched in parts of three steps."""
    monkeypatch.setattr(loop, "PART_BYTES", 3 * 2 * 8 * 788)
    assert digest(run(tmp_path, "--pipeline", "tf")) == undisturbed[1]
    assert records(tmp_path) == records(undisturbed[0])


@pytest.mark.slow
def test_another_seed_ends_in_another_state(undisturbed, tmp_path):
    assert digest(run(tmp_path, "--seed", "1")) != undisturbed[1]


@pytest.mark.slow
def test_checkpoint_with_the_lowest_metric_is_kept(tmp_path):
    run(tmp_path, "--best", "g/loss", "--keep", "1")
    saved = {r["step"]: r["g/loss"] for r in records(tmp_path) if r["step"] in (40, 50, 80, 120)}
    assert Checkpoints(tmp_path / "checkpoints").steps() == sorted({min(saved, key=saved.get), 120})


@pytest.mark.slow
def test_training_on_one_and_eight_devices_gives_the_same_samples():
    source = open_source("mnist5k")
    parsed = parse(tiny.experiment, ["--batch-size", "16", "--images", "160"], "tiny", given=["source"])
    experiment, common = tiny.experiment(source, **parsed.kwargs), parsed.kwargs["common"]
    [stage] = schedule_phases(experiment)
    drawn = []
    for devices in (jax.devices()[:1], jax.devices()):
        mesh = make_mesh(devices)
        *_, (step, state, _) = chunks(stage, new_state(stage.game, source, common), common, source, mesh)
        assert step == 10
        drawn.append(sampler(stage.game)(state, preview_latents(experiment, stage.game, source)))
    assert drawn[0].std() > 0.01
    np.testing.assert_allclose(*drawn, atol=2e-4)


def test_steps_are_split_at_multiples_of_every_period():
    assert list(split_at_multiples(range(5, 21), 10, 7)) == [
        range(5, 7),
        range(7, 10),
        range(10, 14),
        range(14, 20),
        range(20, 21),
    ]
    assert list(split_at_multiples(range(5, 5), 10)) == []
    assert next(split_at_multiples(range(0, 10**15), 10)) == range(10)
    assert [part.stop for part in split_at_multiples(range(5, 21), 10, also=(3, 5, 7, 20, 30))] == [7, 10, 20, 21]


def test_states_are_saved_at_every_period_at_the_end_and_at_the_steps_that_are_asked_for():
    common = RunConfig(160, 8, log_every=4, sample_every=NEVER, checkpoint_every=10)
    stage = ScheduledPhase(None, range(20), 0, 8, save_at=frozenset((7, 15)))
    parts = split_at_multiples(stage.steps, *stage.periods(common), also=stage.save_at)
    start = State(jnp.int32(0), None, {})
    run = loop.Trainable(
        fresh=lambda phase: start,
        chunks=lambda phase, state: ((part.stop, state, {}) for part in parts),
        scores=lambda phase: lambda state: {},
        evaluate=lambda phase: lambda state: {},
    )
    played = list(loop.play(run, [stage], common, 0, None, lambda: False))
    assert [each.step for each in played if each.checkpoint_due] == [7, 10, 15, 20]


NEVER = 10**9
"""A period that ends no run."""


@pytest.mark.parametrize("log", [7, NEVER])
@pytest.mark.parametrize("sample", [5, NEVER])
@pytest.mark.parametrize("checkpoint", [30, NEVER])
@pytest.mark.parametrize("part_bytes", [1, 4000, 2**25])
def test_inputs_in_memory_are_bounded_whatever_the_periods(monkeypatch, log, sample, checkpoint, part_bytes):
    """Every part is padded to the same length, no longer than the phase and `PART_BYTES` allow; chunks stay whole."""
    monkeypatch.setattr(loop, "PART_BYTES", part_bytes)
    common = RunConfig(2, 2, log_every=log, sample_every=sample, checkpoint_every=checkpoint, evaluate="fid")
    common = replace(common, evaluate_every=NEVER)
    stage = ScheduledPhase(None, range(40, 63), 0, 2)
    sizes, ends, played = set(), [], []

    def stream(ranges):
        for steps in ranges:
            yield np.arange(steps.start, steps.stop).reshape(-1, 1).repeat(100, axis=1)  # 800 bytes a step

    def dispatch(state, inputs, n, sums):
        sizes.add(len(inputs))
        played.extend(np.asarray(inputs)[: int(n), 0].tolist())
        return state._replace(step=state.step + n), sums + n

    glimpses = []
    start = State(jnp.int32(41), None, {})
    summing = loop.Summing(jnp.int32(0), lambda sums: {"steps": int(sums)}, lambda *first: glimpses.append(first))
    placement = NamedSharding(make_mesh(jax.devices()[:1]), PartitionSpec())
    for step, state, metrics in loop.run_chunks(dispatch, start, stage, common, stream, placement, summing, 800):
        assert step == int(state.step) and metrics["steps"] == step - (ends[-1] if ends else 41)
        ends.append(step)
    assert played == list(range(41, 63))
    assert glimpses == [(42, {"steps": 1})]  # not after a chunk: a user would wait for it
    assert ends == [steps.stop for steps in split_at_multiples(range(41, 63), log, sample, checkpoint)]
    assert len(sizes) == 1 and max(sizes) <= min(23, log, sample, checkpoint, max(1, part_bytes // 800))


def test_new_phase_keeps_leaves_of_equal_shape():
    source = open_source("mnist5k")
    parsed = parse(tiny.experiment, [], "tiny", given=["source"])
    small, large = (stage.game for stage in schedule_phases(tiny.experiment(source, **parsed.kwargs)))
    before = new_state(small, source, parsed.kwargs["common"])._replace(step=jnp.int32(7))
    for name, player in before.players.items():
        before.players[name] = player._replace(opt=jax.tree.map(lambda leaf: leaf + 1, player.opt))
    batch = {"x": jax.ShapeDtypeStruct((2, 8, 28, 28, 1), jnp.float32)}
    fresh = init(large, jax.random.key(1), batch)
    after = carry_over(before, fresh)
    assert int(after.step) == 7
    for ours, theirs in ((after.players["d"], before.players["d"]), (after.key, before.key)):
        assert digest(ours) == digest(theirs)
    kept, grown = (s.players["g"].params for s in (before, after))
    np.testing.assert_array_equal(grown["Dense_0"]["kernel"], kept["Dense_0"]["kernel"])
    np.testing.assert_array_equal(grown["Dense_1"]["kernel"], fresh.players["g"].params["Dense_1"]["kernel"])
    assert digest(after.players["g"].opt) == digest(fresh.players["g"].opt)  # no partial optimizer state


def test_moving_average_that_begins_in_a_later_phase_starts_at_the_carried_weights():
    source = open_source("mnist5k")
    common = RunConfig(images=8, batch_size=8)
    g, d = mlp.Generator(shape=source.shape, widths=(8,)), mlp.Discriminator(widths=(8,))
    without, later = (vanilla.game(g, d, optax.sgd(0.1), optax.sgd(0.1), z_size=4, ema=ema) for ema in (0.0, 0.999))
    before = new_state(without, source, common)
    fresh = new_state(later, source, replace(common, seed=1))
    g = carry_over(before, fresh).players["g"]
    assert digest(g.ema) == digest({"params": before.players["g"].params, **before.players["g"].stats})
    assert digest(carry_over(fresh, fresh).players["g"].ema) == digest(fresh.players["g"].ema)


def test_init_is_traced_once_for_all_checks_and_states_of_a_run():
    traced = []

    class Counted(nn.Module):
        @nn.compact
        def __call__(self, z):
            if self.is_initializing():
                traced.append(z.shape)
            return mlp.Generator(shape=source.shape, widths=(4,))(z)

    source, common = open_source("mnist5k"), RunConfig(images=8, batch_size=8)
    game = vanilla.game(Counted(), mlp.Discriminator(widths=(4,)), optax.sgd(0.1), optax.sgd(0.1), z_size=4)
    experiment = Experiment((Phase(game, common.images),), common)
    check(experiment, source)
    logged(experiment, source)
    first, second = (new_state(game, source, replace(common, seed=seed)) for seed in (0, 1))
    assert digest(first) != digest(second) and traced == [(8, 4)]
    new_state(game, source, replace(common, batch_size=16))
    assert traced == [(8, 4), (16, 4)]


KILLED = """
import os, signal, sys
from pathlib import Path
from test_train import Checkpoints, run

folder = Path(sys.argv[1])

def stop():
    if Checkpoints(folder / "checkpoints").steps():
        os.kill(os.getpid(), signal.SIGKILL)

run(folder, stop=stop)
"""


@pytest.mark.slow
def test_killed_and_resumed_run_ends_in_the_same_bits(undisturbed, tmp_path):
    """SIGKILL after the first chunk that finds a checkpoint; then the run is resumed."""
    folder, end = undisturbed
    paths = (Path(__file__).parent, Path(tiny.__file__).parent, *sys.path)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), "JAX_COMPILATION_CACHE_DIR": CACHE}
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env=env, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert 40 <= Checkpoints(tmp_path / "checkpoints").latest() < 120
    assert digest(run(tmp_path)) == end
    assert records(tmp_path) == records(folder)
    assert pictures(tmp_path) == pictures(folder)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)]
)
def test_signal_saves_a_checkpoint_and_sets_the_exit_code(tmp_path, capfd, number, code):
    def send():
        while not Checkpoints(tmp_path / "checkpoints").steps():
            time.sleep(0.05)
        os.kill(os.getpid(), number)

    threading.Thread(target=send, daemon=True).start()
    with pytest.raises(SystemExit) as done:
        main(["train", TINY, "--run-dir", str(tmp_path), "--images", "80000000", "--checkpoint-every", "50"])
    errors = capfd.readouterr().err
    assert done.value.code == code, errors
    assert "the same command continues" in errors.splitlines()[-1]
    assert Checkpoints(tmp_path / "checkpoints").latest() == records(tmp_path)[-1]["step"]


def test_sample_redraws_the_last_preview_and_new_samples(trained_run, tmp_path, capsys):
    def drawn(*flags):
        with pytest.raises(SystemExit) as done:
            main(["sample", str(trained_run), *flags])
        assert done.value.code == 0
        return Path(capsys.readouterr().out.split()[-1])

    assert drawn().read_bytes() == (trained_run / "samples" / "0000000800.png").read_bytes()
    arrays = np.load(drawn("--n", "10", "--seed", "5", "--out", str(tmp_path / "ten.npz")))
    assert arrays["images"].shape == (10, 28, 28, 1) and arrays["images"].dtype == np.uint8
    more = np.load(drawn("--n", "100", "--seed", "5", "--out", str(tmp_path / "hundred.npz")))
    np.testing.assert_array_equal(more["images"][:10], arrays["images"])
    path = drawn("--n", "2", "--interpolate", "7", "--out", str(tmp_path / "path.png"))
    assert Image.open(path).size == (7 * 30 + 2, 2 * 30 + 2)
