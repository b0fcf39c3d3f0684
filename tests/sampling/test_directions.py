"""Directions: their unit, their files, and edits along them."""

import jax.numpy as jnp
import linear_generators as known
import numpy as np
import pytest

from gan_jax import BadInput
from gan_jax.sampling.directions import Direction, find_direction, in_units, save_direction
from gan_jax.sampling.distance import in_units as distance_in_units
from gan_jax.sampling.distance import mean_of, pixels, squared_distances
from gan_jax.sampling.editing import edit_samples, mean_distances, move
from gan_jax.sampling.latents import draw_latents
from gan_jax.sampling.space import encode

VECTOR = np.arange(1, known.Z + 1, dtype=np.float32)
BOLD = Direction("bold", "logistic regression", "boldness", "run", VECTOR)


def drawn(game, state, n):
    return encode(game, state, draw_latents(game, known.KEY, n))


def test_a_unit_is_one_deviation_of_the_latents_along_the_direction():
    w = np.random.default_rng(0).normal(size=(4000, 3)) * [1.0, 2.0, 5.0]
    np.testing.assert_allclose(in_units(np.array([0.0, 7.0, 0.0]), w), [0, 2, 0], rtol=0.05, atol=1e-6)
    np.testing.assert_allclose(in_units(np.array([0.0, 0.0, 0.1]), w), [0, 0, 5], rtol=0.05, atol=1e-6)
    with pytest.raises(BadInput, match="do not vary"):
        in_units(np.array([1.0, 0.0, 0.0]), np.ones((10, 3)))


def test_a_saved_direction_is_found_by_name_and_by_file(tmp_path):
    save_direction(tmp_path, BOLD)
    for word in ("bold", str(tmp_path / "bold.npz")):
        found = find_direction(tmp_path, word, "run")
        assert found[:4] == BOLD[:4]
        np.testing.assert_array_equal(found.vector, VECTOR)


def test_directions_that_are_unknown_damaged_or_of_another_run_are_refused(tmp_path):
    with pytest.raises(BadInput, match="unknown direction 'bold': find some with"):
        find_direction(tmp_path, "bold", "run")
    save_direction(tmp_path, BOLD)
    with pytest.raises(BadInput, match="unknown direction 'slant': choose one of bold, or find others"):
        find_direction(tmp_path, "slant", "run")
    with pytest.raises(BadInput, match="is a direction of another run"):
        find_direction(tmp_path, "bold", "other")
    with pytest.raises(BadInput, match="cannot be read"):
        find_direction(tmp_path, "missing.npz", "run")
    (tmp_path / "bold.npz").write_bytes(b"nothing")
    with pytest.raises(BadInput, match="holds no direction"):
        find_direction(tmp_path, "bold", "run")
    save_direction(tmp_path, BOLD._replace(vector=np.full(3, np.nan, np.float32)))
    with pytest.raises(BadInput, match="finite"):
        find_direction(tmp_path, "bold", "run")


def test_moved_latents_are_sums_in_the_chosen_layers_only():
    w = jnp.zeros((2, known.LAYERS, known.Z))
    moved = np.asarray(move(w, BOLD, [-1.0, 0.0, 2.0], slice(1, 2)))
    assert moved.shape == (2, 3, known.LAYERS, known.Z) and not moved[:, :, 0].any()
    np.testing.assert_array_equal(moved[1, :, 1], np.outer([-1, 0, 2], VECTOR))
    np.testing.assert_array_equal(move(w[:, 0], BOLD, [2.0], slice(None))[0, 0], 2 * VECTOR)
    with pytest.raises(BadInput, match="choose from 0:2"):
        move(w, BOLD, [1.0], slice(0, 3))
    with pytest.raises(BadInput, match="another generator, with latents of 5 numbers, not 4"):
        move(w[..., :4], BOLD, [1.0], slice(None))


@pytest.mark.parametrize("make", [pytest.param(known.linear, marks=pytest.mark.slow), known.styled])
def test_edits_of_a_linear_generator_are_linear_and_their_distance_is_quadratic(make):
    game, state = make()
    edits = edit_samples(game, state, drawn(game, state, 3), BOLD, [0.0, 1.0, 2.0], slice(None))
    np.testing.assert_allclose(edits.after[:, 0], edits.before, rtol=1e-5, atol=1e-5)
    change = edits.after - edits.before[:, None]
    np.testing.assert_allclose(change[:, 2], 2 * change[:, 1], rtol=1e-4, atol=1e-3)
    matrix = known.MATRIX if make is known.linear else known.STYLES.sum(axis=0)
    np.testing.assert_allclose(change[0, 1].ravel(), VECTOR @ matrix, rtol=1e-4, atol=1e-4)
    none, one, two = mean_distances(pixels, edits)
    assert none < 1e-6
    np.testing.assert_allclose([one, two], np.sum((VECTOR @ matrix) ** 2) * np.array([1, 4]), rtol=1e-3)


@pytest.mark.slow
def test_the_unit_of_distance_is_that_of_two_samples():
    x = np.random.default_rng(0).normal(3, 2, size=(400, 2, 2, 1)).astype(np.float32)
    halved = mean_of(distance_in_units(pixels, x), distance_in_units(lambda x: 7 * pixels(x), x))
    halves = jnp.split(x, 2)
    for embed in (distance_in_units(pixels, x), halved):
        distances = squared_distances(*map(embed, halves))
        np.testing.assert_allclose(distances.mean(), 1, rtol=0.02)
        direct = np.sum(np.square(embed(halves[0][:1]) - embed(halves[1][:1])))
        np.testing.assert_allclose(distances[0, 0], direct, rtol=1e-3)
