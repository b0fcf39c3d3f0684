"""The projection experiment plays on digits and color images, with both kinds of networks."""

import jax
import numpy as np
import pytest
from stepping import built, three_steps

from gan_jax import BadInput
from gan_jax.config.experiment import schedule_phases
from gan_jax.data import from_arrays
from gan_jax.engine.parallel import make_mesh
from gan_jax.nets import resnet
from gan_jax.training.train import abstract_state


def color(size=32, n=32, labeled=True):
    """Makes noise images of two classes."""
    x = np.random.RandomState(0).randint(0, 256, (n, size, size, 3), np.uint8)
    return from_arrays("noise", x, np.arange(n) % 2, ("even", "odd")) if labeled else from_arrays("noise", x)


@pytest.mark.slow
def test_three_steps_on_digits():
    played = three_steps("projection")
    assert played.samples.shape == (50, 28, 28, 1)
    assert played.game.codes["y"].classes == 10


@pytest.mark.slow
def test_three_steps_in_color_with_two_critic_turns():
    played = three_steps("projection", "--n-critic", "2", source=color())
    assert played.samples.shape == (50, 32, 32, 3)
    assert len(played.game.turns) == 3


@pytest.mark.parametrize("size", [32, 64])
def test_full_preset_uses_the_residual_networks(size):
    """Checks shapes only: the networks are too wide to play here."""
    experiment = built("projection", "--preset", "full", source=color(size))
    [stage] = schedule_phases(experiment)
    assert isinstance(stage.game.players["d"].net, resnet.ProjectionDiscriminator)
    assert len(stage.game.turns) == 6
    players = abstract_state(stage.game, color(size), experiment.common, make_mesh(jax.devices()[:1])).players
    assert players["g"].params["Dense_0"]["kernel"].shape == (128, 4 * 4 * 256)
    assert players["d"].params["Projection_0"]["Embed_0"]["embedding"].shape == (2, 128)


@pytest.mark.parametrize(("preset", "size"), [("small", 8), ("full", 30)])
def test_unlabeled_data_and_unsupported_sizes_are_refused(preset, size):
    with pytest.raises(BadInput, match="noise has no labels: give"):
        built("projection", "--preset", preset, source=color(labeled=False))
    with pytest.raises(BadInput, match=f"examples of {size}x{size}x3 are not supported"):
        built("projection", "--preset", preset, source=color(size))
