"""Games on mixtures of Gaussians capture the modes, but not with the sign of a loss flipped."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from turned import with_signs

from gan_jax import BadInput, init, make_step
from gan_jax.config.discovery import find
from gan_jax.config.experiment import RunConfig, schedule_phases
from gan_jax.config.flags import parse
from gan_jax.data import device_resident, from_points, open_source
from gan_jax.engine.game import slice_count
from gan_jax.engine.networks import bind
from gan_jax.engine.parallel import make_mesh
from gan_jax.sampling.preview import experiment_scores, preview_picture
from gan_jax.sampling.sampler import sampler
from gan_jax.toy import gaussians
from gan_jax.training.chunk import over_steps
from gan_jax.training.train import chunks, new_state


def prepared(name, *flags):
    """Returns data, experiment and stage for the given flags."""
    build = find(name).load(flags)
    kwargs = parse(build, flags, name, given=["source"]).kwargs
    source = open_source(kwargs["common"].data)
    experiment = build(source, **kwargs)
    [stage] = schedule_phases(experiment)
    return source, experiment, stage


def captured(found):
    return found["modes"] == 8 and found["high_quality"] > 0.5 and found["reverse_kl_modes"] < 0.03


@pytest.fixture(scope="module")
def ring_scores():
    """Returns scores of short runs on the ring: unchanged, and with the loss of the generator or discriminator negated.

    The signs are inputs, so that the three runs share one program.
    """
    short = ("--images", "256000", "--batch-size", "64", "--width", "32", "--ema", "0.99", "--anneal", "0.05")
    source, experiment, stage = prepared("ring", *short)
    common = experiment.common
    pipeline = device_resident(source, common.seed, slice_count(stage.game), common.batch_size)
    [inputs] = jax.tree.map(jnp.asarray, list(pipeline.stream([stage.steps])))

    def trained(g, d):
        game = with_signs(stage.game, {"g": g, "d": d})
        state = new_state(game, source, common)
        state, _ = over_steps(make_step(game), pipeline.load)(
            state, pipeline.arrays, inputs, jnp.int32(len(stage.steps))
        )
        return experiment_scores(experiment, game, source)(state)

    found = jax.jit(jax.vmap(trained))(jnp.array([1.0, -1.0, 1.0]), jnp.array([1.0, 1.0, -1.0]))
    return [{name: float(values[lane]) for name, values in found.items()} for lane in range(3)]


@pytest.mark.slow
def test_ring_modes_are_captured(ring_scores):
    assert captured(ring_scores[0]), ring_scores[0]


@pytest.mark.slow
@pytest.mark.parametrize("lane", [1, 2], ids=["g", "d"])
def test_ring_modes_are_not_captured_with_a_negated_loss(lane, ring_scores):
    assert not captured(ring_scores[lane]), ring_scores[lane]


@pytest.mark.slow
def test_grid_modes_are_captured():
    source, experiment, stage = prepared(
        "grid", "--images", "512000", "--batch-size", "64", "--width", "48", "--ema", "0.99"
    )
    start = new_state(stage.game, source, experiment.common)
    *_, (_, state, _) = chunks(stage, start, experiment.common, source, make_mesh(jax.devices()[:1]))
    found = experiment_scores(experiment, stage.game, source)(state)
    assert found["modes"] >= 24 and found["high_quality"] > 0.5, found


def drawn(source, *flags):
    """Returns scores, preview and networks of an untrained state."""
    build = find("ring").load()
    experiment = build(source, **parse(build, ["--batch-size", "8", *flags], "ring", given=["source"]).kwargs)
    [stage] = schedule_phases(experiment)
    state = new_state(stage.game, source, experiment.common)
    nets = bind(stage.game, state.players)
    picture = preview_picture(experiment, stage.game, source, sampler(stage.game))(state)
    return experiment_scores(experiment, stage.game, source)(state), picture, nets


def test_points_without_known_modes_are_scored_by_energy_distance():
    found, picture, *_ = drawn(open_source("spiral"))
    assert found.keys() == {"energy_distance"} and float(found["energy_distance"]) > 0.1
    assert picture.shape[-1] == 3 and picture.dtype == np.uint8


@pytest.mark.slow
def test_packed_discriminators_are_previewed():
    _, picture, nets = drawn(open_source("ring"), "--pack", "4")
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 100
    assert nets["d"](jnp.zeros((8, 2))).shape == (2,)


def test_points_outside_the_plane_are_refused():
    with pytest.raises(BadInput, match=r"line has examples of shape \(1,\), not \(2,\)"):
        gaussians.build(from_points("line", np.zeros((9, 1))), RunConfig(images=8, batch_size=8), gaussians.Config())


@pytest.mark.slow
def test_scheduled_penalty_weight_is_annealed(tmp_path):
    (tmp_path / "mine.py").write_text("""
import jax.numpy as jnp

from gan_jax.penalties import terms

late = terms.r1(lambda step: jnp.where(step >= 50, 10.0, 0.0))
""")
    kwargs = parse(find("ring").load(), ["--penalty", f"{tmp_path}/mine.py:late"], "ring", given=["source"]).kwargs
    [stage] = schedule_phases(find("ring").load()(open_source("ring"), **kwargs))
    batch = {"x": jnp.ones((1, 4, 2))}
    state = init(stage.game, jax.random.key(0), batch)
    step = jax.jit(make_step(stage.game))
    end = stage.steps.stop
    found = [float(step(state._replace(step=jnp.int32(n)), batch)[1]["d/penalty"]) for n in (49, 50, end)]
    assert found[0] == 0 < found[1]
    assert found[2] == pytest.approx(0.2 ** (1 - 50 / end) * found[1], rel=1e-4)
