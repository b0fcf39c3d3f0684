"""Each symptom appears in a game built to fail in its way, and none in healthy games."""

import jax
import optax
import pytest

from gan_jax import losses
from gan_jax.config.discovery import find
from gan_jax.config.experiment import Experiment, Phase, RunConfig, schedule_phases
from gan_jax.config.flags import parse
from gan_jax.data import open_source
from gan_jax.engine.parallel import make_mesh
from gan_jax.games import vanilla
from gan_jax.monitoring.monitor import Monitor, read_findings
from gan_jax.nets import mlp
from gan_jax.runs.run_dir import RunDir
from gan_jax.sampling.sampler import sampler
from gan_jax.training.loop import play
from gan_jax.training.train import single, train

COMMON = {"batch_size": 16, "log_every": 10, "sample_every": 20, "checkpoint_every": 1000}
SHRINKING = optax.stateless(lambda updates, params: optax.tree.scale(-0.02, params))
"""An optimizer that shrinks every parameter, so that all samples become equal."""


def digits(images, tx_g, tx_d, loss=losses.non_saturating, **flags):
    source = open_source("mnist5k")
    common = RunConfig(images=images, **COMMON, **flags)
    g, d = mlp.Generator(shape=source.shape, widths=(16,)), mlp.Discriminator(widths=(16,))
    game = vanilla.game(g, d, tx_g, tx_d, loss=loss, z_size=4)
    return Experiment((Phase(game, common.images),), common), source


def dirac(*flags):
    flags = ("--images", "8000", "--sample-every", "1000", *flags)
    source, build = open_source("dirac"), find("dirac").load()
    return build(source, **parse(build, flags, "dirac", given=["source"]).kwargs), source


STILL = optax.sgd(0.0)
FAILURES = {
    "discriminator won": lambda: digits(4000, STILL, optax.adam(1e-2)),
    "generator's gradient vanished": lambda: digits(8000, STILL, optax.adam(3e-2), losses.minimax),
    "samples alike": lambda: digits(4800, SHRINKING, STILL),
    "classes missing": lambda: digits(1600, STILL, STILL, evaluate="modes", evaluate_every=400, evaluate_samples=100),
    "oscillation": lambda: dirac("--learning-rate", "0.05", "--no-simultaneous"),
    "exploding norms": lambda: dirac("--learning-rate", "0.15"),
}
HEALTHY = {
    "digits": lambda: digits(8_000, optax.adam(1e-3), optax.adam(2e-4)),
    "dirac": lambda: dirac("--penalty", "r1:1"),
}


def showing(experiment, source):
    """Plays a game without a run folder; returns the symptoms at its end and all findings."""
    plan = schedule_phases(experiment)
    run = single(experiment, source, make_mesh(), [sampler(stage.game) for stage in plan], lambda images, metrics: None)
    monitor = Monitor()
    for progress in play(run, plan, experiment.common, 0, None, lambda: False):
        metrics = jax.device_get(progress.metrics | progress.evaluate())
        images = plan[progress.phase].images(progress.step)
        monitor.update({"step": progress.step, "images": images, "seconds": 0.0} | metrics)
    return monitor.showing, monitor.findings


@pytest.mark.slow
@pytest.mark.parametrize("name", FAILURES)
def test_failing_game_shows_its_symptom(name):
    assert name in showing(*FAILURES[name]())[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_game_shows_no_symptom(name):
    assert showing(*HEALTHY[name]())[1] == []


@pytest.mark.slow
def test_a_run_writes_its_findings(tmp_path):
    (tmp_path / "samples").mkdir()
    train(*FAILURES["exploding norms"](), RunDir(tmp_path))
    assert "exploding norms" in [found.symptom for found in read_findings(RunDir(tmp_path)) if found.until is None]
