"""The Stacked-MNIST experiment plays with all options and refuses other data."""

import jax
import numpy as np
import pytest

from gan_jax import BadInput
from gan_jax.config.discovery import find
from gan_jax.config.experiment import schedule_phases
from gan_jax.config.flags import parse
from gan_jax.data import from_arrays, open_source, stack_digits
from gan_jax.engine.parallel import make_mesh
from gan_jax.sampling.latents import draw_latents
from gan_jax.sampling.sampler import sampler
from gan_jax.training.train import abstract_state, chunks, new_state

BUILD = find("stacked_mnist").load()


def built(*flags, source=None, size=None):
    """Returns the experiment with the given flags, and its source."""
    kwargs = parse(BUILD, flags, "stacked_mnist", given=["source"]).kwargs
    source = source or open_source(kwargs["common"].data, size=size)
    return BUILD(source, **kwargs), source


@pytest.mark.slow
def test_three_steps_of_a_packed_relativistic_game():
    """Combines dropout, both penalties and packs of two images."""
    flags = ["--images", "48", "--batch-size", "16", "--width", "2", "--pack", "2", "--log-every", "3"]
    flags += ["--loss", "relativistic_paired", "--penalty", "r1:1+r2:1"]
    experiment, source = built(*flags, source=stack_digits(open_source("mnist5k"), n=64))
    [stage] = schedule_phases(experiment)
    start = new_state(stage.game, source, experiment.common)
    [(_, state, metrics)] = chunks(stage, start, experiment.common, source, make_mesh(jax.devices()[:1]))
    assert int(state.step) == 3 and stage.images(3) == 48
    found = {name: float(np.mean(value)) for name, value in metrics.items()}
    assert all(map(np.isfinite, found.values()))
    assert found["d/penalty"] > 0 and found["d/grad_norm"] > 0 and found["g/grad_norm"] > 0
    assert sampler(stage.game)(state, draw_latents(stage.game, jax.random.key(0), 5)).shape == (5, 28, 28, 3)


@pytest.mark.parametrize("size", [28, 32])
def test_networks_fit_both_sizes_and_grow_with_the_width(size):
    for width in (2, 4):
        experiment, source = built("--width", str(width), "--batch-size", "8", size=size)
        [stage] = schedule_phases(experiment)
        players = abstract_state(stage.game, source, experiment.common, make_mesh()).players
        g, d = players["g"].params, players["d"].params
        assert g["Dense_0"]["kernel"].shape == (100, (size // 4) ** 2 * 4 * width)
        assert d["Dense_0"]["kernel"].shape == ((size // 4) ** 2 * 2 * width, 1)


def test_packed_images_are_concatenated_along_channels():
    experiment, source = built("--pack", "4", "--width", "2", "--batch-size", "8")
    [stage] = schedule_phases(experiment)
    d = abstract_state(stage.game, source, experiment.common, make_mesh()).players["d"].params
    assert d["net"]["Conv_0"]["kernel"].shape == (3, 3, 12, 2)


@pytest.mark.parametrize("shape", [(28, 28, 1), (30, 30, 3)])
def test_other_data_than_stacked_digits_is_refused(shape):
    with pytest.raises(BadInput, match=r"odd has examples of shape .*: give --data stacked:mnist5k"):
        built(source=from_arrays("odd", np.zeros((9, *shape), np.uint8)))
