"""The bench on which losses are tried: a recipe that wins, and that loses with its sign turned."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from turned import turned_round

from gan_jax import BadInput, init, make_step
from gan_jax.config.discovery import find, load
from gan_jax.config.experiment import RunConfig, schedule_phases
from gan_jax.config.flags import parse
from gan_jax.data import from_points, open_source
from gan_jax.engine.networks import bind
from gan_jax.engine.parallel import make_mesh
from gan_jax.sampling.preview import experiment_scores, preview_picture
from gan_jax.sampling.sampler import sampler
from gan_jax.toy import gaussians
from gan_jax.training.train import chunks, new_state


def scores(name, *flags, broken=None):
    """What is reached with the flags of an experiment, on one device."""
    build = load(find(name))
    kwargs = parse(build, flags, name, given=["source"]).kwargs
    source = open_source(kwargs["common"].data)
    experiment = build(source, **kwargs)
    [stage] = schedule_phases(experiment)
    if broken:
        stage = stage._replace(game=turned_round(stage.game, broken))
    start = new_state(stage.game, source, experiment.common)
    *_, (_, state, _) = chunks(stage, start, experiment.common, source, make_mesh(jax.devices()[:1]))
    return {name: float(value) for name, value in experiment_scores(experiment, stage.game)(state).items()}


SHORT = ("--images", "256000", "--batch-size", "64", "--width", "32", "--ema", "0.99", "--anneal", "0.05")


def captured(found):
    return found["modes"] == 8 and found["high_quality"] > 0.5 and found["reverse_kl"] < 0.03


def test_the_ring_is_captured():
    assert captured(found := scores("ring", *SHORT)), found


@pytest.mark.parametrize("player", ["g", "d"])
def test_with_the_sign_of_either_loss_turned_it_is_not(player):
    assert not captured(lost := scores("ring", *SHORT, broken=player)), lost


@pytest.mark.slow
def test_the_grid_is_captured():
    found = scores("grid", "--images", "512000", "--batch-size", "64", "--width", "48", "--ema", "0.99")
    assert found["modes"] >= 24 and found["high_quality"] > 0.5, found


def drawn(source, *flags):
    """The scores, the picture and the networks of an untrained state."""
    build = load(find("ring"))
    experiment = build(source, **parse(build, ["--batch-size", "8", *flags], "ring", given=["source"]).kwargs)
    [stage] = schedule_phases(experiment)
    state = new_state(stage.game, source, experiment.common)
    nets = bind(stage.game, state.players)
    picture = preview_picture(experiment, stage.game, sampler(stage.game))(state)
    return experiment_scores(experiment, stage.game)(state), picture, nets


def test_points_without_modes_are_judged_by_their_distance():
    found, picture, *_ = drawn(open_source("spiral"))
    assert found.keys() == {"energy_distance"} and float(found["energy_distance"]) > 0.1
    assert picture.shape[-1] == 3 and picture.dtype == np.uint8


def test_packs_are_judged_together_and_drawn():
    _, picture, nets = drawn(open_source("ring"), "--pack", "4")
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 100
    assert nets["d"](jnp.zeros((8, 2))).shape == (2,)


def test_what_is_no_point_in_the_plane_is_refused():
    with pytest.raises(BadInput, match=r"line has examples of shape \(1,\), not \(2,\)"):
        gaussians.on_points(
            from_points("line", np.zeros((9, 1))), RunConfig(images=8, batch_size=8), gaussians.Config()
        )


def test_a_weight_may_be_a_schedule_that_the_lab_anneals(tmp_path):
    (tmp_path / "mine.py").write_text("""
import jax.numpy as jnp

from gan_jax.penalties import terms

late = terms.r1(lambda step: jnp.where(step >= 50, 10.0, 0.0))
""")
    kwargs = parse(load(find("ring")), ["--penalty", f"{tmp_path}/mine.py:late"], "ring", given=["source"]).kwargs
    [stage] = schedule_phases(load(find("ring"))(open_source("ring"), **kwargs))
    batch = {"x": jnp.ones((2, 4, 2))}
    state = init(stage.game, jax.random.key(0), batch)
    step = jax.jit(make_step(stage.game))
    end = stage.steps.stop
    found = [float(step(state._replace(step=jnp.int32(n)), batch)[1]["d/penalty"]) for n in (49, 50, end)]
    assert found[0] == 0 < found[1]
    assert found[2] == pytest.approx(0.2 ** (1 - 50 / end) * found[1], rel=1e-4)
