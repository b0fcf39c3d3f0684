"""Latents: the same sample however many are drawn, labels where there are some, and lines between latents."""

import arena
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import BadInput
from gan_jax.codes import Categorical
from gan_jax.latents import normal
from gan_jax.sample import between, latents

KEY = jax.random.key(0)


def conditional():
    """A game whose prior draws labels too; it always draws class 0."""

    def prior(keys):
        return {"z": normal(keys, arena.Z), "y": jnp.zeros(keys.shape, jnp.int32)}

    return arena.simultaneous(arena.sgd)._replace(prior=prior, codes={"y": Categorical(10)})


def test_labels_are_given_in_turn_and_change_nothing_else():
    free, chosen = latents(conditional(), KEY, 5), latents(conditional(), KEY, 5, {"y": (3, 1)})
    assert free["y"].tolist() == [0] * 5 and chosen["y"].tolist() == [3, 1, 3, 1, 3]
    np.testing.assert_array_equal(free["z"], chosen["z"])
    with pytest.raises(BadInput, match="no labels"):
        latents(arena.simultaneous(arena.sgd), KEY, 5, {"y": (3,)})


def test_a_sample_does_not_depend_on_how_many_are_drawn():
    few, many = (latents(conditional(), KEY, n)["z"] for n in (3, 50))
    np.testing.assert_array_equal(few, many[:3])


def test_a_line_begins_and_ends_where_it_should_and_keeps_its_labels():
    start, end = latents(conditional(), KEY, 2, {"y": (4, 7)}), latents(conditional(), jax.random.key(1), 2)
    path = between(start, end, 5)
    assert path["z"].shape == (10, arena.Z) and path["y"].tolist() == [4] * 5 + [7] * 5
    np.testing.assert_allclose(path["z"][::5], start["z"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(path["z"][4::5], end["z"], rtol=1e-5, atol=1e-6)
