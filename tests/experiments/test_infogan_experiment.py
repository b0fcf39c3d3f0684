"""The InfoGAN experiment plays on digits and fits color images without labels."""

import math

import numpy as np
import pytest
from stepping import three_steps, traced

from gan_jax.data import from_arrays


@pytest.mark.slow
def test_three_steps_on_digits():
    played = three_steps("infogan")
    assert played.samples.shape == (50, 28, 28, 1)
    assert list(played.game.codes) == ["c1", "c2", "c3"]
    assert {f"{player}/info_{code}" for player in "dg" for code in played.game.codes} <= played.metrics.keys()
    assert played.metrics["g/info_c1"] <= math.log(10)


@pytest.mark.slow
def test_experiment_fits_color_images():
    source = from_arrays("noise", np.random.RandomState(0).randint(0, 256, (32, 32, 32, 3), np.uint8))
    assert traced("infogan", source=source) == (50, 32, 32, 3)
