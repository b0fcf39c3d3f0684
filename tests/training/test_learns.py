"""The demo's game learns in a short run, but not with the sign of the generator's loss flipped.

These runs have their own processes, with some optimization by XLA, which is off in all other tests to compile faster.
"""

import json
import os
import subprocess
import sys

import jax
import numpy as np
import pytest
from turned import with_negated_loss

from gan_jax.config.discovery import find
from gan_jax.config.experiment import Phase, schedule_phases
from gan_jax.config.flags import parse
from gan_jax.data import open_source
from gan_jax.engine.parallel import make_mesh
from gan_jax.sampling.latents import draw_latents
from gan_jax.sampling.sampler import sampler
from gan_jax.training.train import chunks, new_state

SAMPLES = 256


def likeness(*broken):
    """Correlates real digits and samples: their mean images, and their standard deviations per pixel."""
    source = open_source("mnist5k")
    build = find("mnist_mlp").load()
    experiment = build(source, **parse(build, ["--images", "19200"], "mnist_mlp", given=["source"]).kwargs)
    [stage] = schedule_phases(experiment)
    for who in broken:
        stage = stage._replace(phase=Phase(with_negated_loss(stage.game, who), stage.phase.images))
    start = new_state(stage.game, source, experiment.common)
    *_, (_, state, _) = chunks(stage, start, experiment.common, source, make_mesh(jax.devices()[:1]))
    fake = sampler(stage.game)(state, draw_latents(stage.game, jax.random.key(1), SAMPLES))
    real = source.read(np.arange(0, source.size, 5))["x"] / 127.5 - 1
    return tuple(np.corrcoef(of(real).ravel(), of(fake).ravel())[0, 1] for of in (mean_image, deviations))


def mean_image(x):
    return x.mean(0)


def deviations(x):
    return x.std(0)


def likeness_of_a_process(*broken):
    """Runs `likeness` in a process, at the level of optimization of `make demo`."""
    environment = os.environ | {"XLA_FLAGS": "--xla_backend_optimization_level=1"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))  # with the helpers of the tests
    run = subprocess.run([sys.executable, __file__, *broken], capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.slow
def test_demo_samples_resemble_digits():
    mean, deviation = likeness_of_a_process()
    assert mean > 0.9 and deviation > 0.8, (mean, deviation)


@pytest.mark.slow
def test_samples_do_not_resemble_digits_with_flipped_generator_loss():
    mean, deviation = likeness_of_a_process("g")
    assert not (mean > 0.9 and deviation > 0.8), (mean, deviation)


if __name__ == "__main__":
    print(json.dumps(likeness(*sys.argv[1:])))
