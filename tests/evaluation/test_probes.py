"""Probes of a game: the discriminator's scores."""

import arena
import jax
import numpy as np
import pytest
import tiny_features

from gan_jax import BadInput
from gan_jax.evaluation.inputs import LabeledExamples
from gan_jax.evaluation.probes import make_probes

IMAGES = LabeledExamples(np.random.RandomState(0).randint(0, 256, (3, *arena.SHAPE)).astype(np.uint8))


def scores(game, state):
    return make_probes(game, jax.random.key(0), tiny_features.net)(state).scores(IMAGES)


def test_the_discriminator_is_the_clock_whatever_its_name():
    (game, state), names = arena.started(arena.consensus_play), {"g": "artist", "d": "critic"}
    same = state._replace(players={names[name]: player for name, player in state.players.items()})
    found = scores(arena.rename_players(game, names), same)
    [layer] = jax.tree.map(np.asarray, state.players["d"].params).values()
    x = IMAGES.examples.reshape(3, -1) / 127.5 - 1
    np.testing.assert_allclose(found, (x @ layer["kernel"] + layer["bias"])[:, 0], rtol=1e-5)


def test_a_clock_that_gives_no_scores_is_refused():
    game, state = arena.started(arena.consensus_play)
    with pytest.raises(BadInput, match="does not give one score per example: leave the metric out"):
        scores(game._replace(clock="g"), state)
