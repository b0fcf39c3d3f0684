"""What games with conditions make of a data set: a game that returns its inputs, so that everything is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import BadInput
from gan_jax.data import derived, from_arrays, open_source
from gan_jax.data.modality import Leaf, label_map
from gan_jax.data.sources.unpaired import unpaired
from gan_jax.engine.game import Game, State
from gan_jax.evaluation.inputs import read_examples, subset_indices
from gan_jax.evaluation.translations import choose_direction, example_translator, image_sets
from gan_jax.priors import ExampleKeys

pytestmark = pytest.mark.medium

STATE = State(jnp.int32(0), jax.random.key(0), {})
N = 300  # more than are read at once


def game(sample, *conditions):
    return Game({}, (), prior={"keys": ExampleKeys()}, inputs=lambda *_: {}, sample=sample, conditions=conditions)


def translated(played, source, domain="", n=N):
    way = choose_direction(played, source, domain)
    made = example_translator(played, way, jax.random.key(0))(STATE, n)
    return way, made, image_sets(way, made, n)


def pixels(images):
    return np.concatenate(list(images.decoded(images.mode)))


def test_pairs_are_translations_targets_and_inputs_of_the_same_examples():
    digits = open_source("mnist5k")
    way, made, sets = translated(game(lambda nets, latents: latents["a"], "a"), derived.noise(digits, 25.0))
    chosen = read_examples(digits, subset_indices(digits.size, N))
    np.testing.assert_array_equal(pixels(sets.targets), chosen.examples)
    np.testing.assert_array_equal(made.labels, chosen.labels)
    np.testing.assert_array_equal(pixels(sets.made), pixels(sets.inputs))
    noise = pixels(sets.made).astype(int) - chosen.examples
    assert way.paired and 15 < noise[(chosen.examples > 90) & (chosen.examples < 160)].std() < 30
    assert sets.inputs.labels() == {str(i): digits.classes[y] for i, y in enumerate(chosen.labels)}


def test_noise_of_a_game_differs_between_examples_and_follows_the_key():
    def sample(nets, latents):
        return jax.vmap(lambda key: jax.random.uniform(key, (28, 28, 1)))(latents["keys"])

    way = choose_direction(game(sample, "a"), derived.edges(open_source("mnist5k")), "")
    same, again, other = (
        example_translator(game(sample, "a"), way, jax.random.key(seed))(STATE, N).examples for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(same, again)
    assert len(np.unique(same, axis=0)) == N and not np.array_equal(same, other)


@pytest.mark.parametrize(("domain", "here", "there"), [("", 0, 1), ("a", 0, 1), ("b", 1, 0)])
def test_translations_of_one_domain_are_compared_with_all_of_the_other(domain, here, there):
    sides = [
        from_arrays(name, np.full((n, 8, 8, 1), value, np.uint8), np.arange(n) % 2, ("even", "odd"))
        for name, n, value in (("dark", 5, 10), ("light", 9, 200))
    ]
    played = game(lambda nets, latents: {f"fake_{x}": latents[y] for x, y in ("ba", "ab") if y in latents}, "a", "b")
    way, made, sets = translated(played, unpaired(*sides), domain)
    assert not way.paired
    assert len(sets.made.images) == len(sets.inputs.images) == sides[here].size
    assert len(sets.targets.images) == sides[there].size
    assert np.all(made.examples == (10, 200)[here]) and np.all(pixels(sets.targets) == (10, 200)[there])
    assert [sets.inputs.labels()[str(i)] for i in range(4)] == ["even", "odd", "even", "odd"]
    assert made.labels.tolist() == [i % 2 for i in range(sides[here].size)] and made.classes == ("even", "odd")


def test_a_game_of_one_direction_is_compared_with_the_other_domain():
    sides = [
        from_arrays(name, np.full((3, 8, 8, 1), value, np.uint8)) for name, value in (("dark", 10), ("light", 200))
    ]
    way = choose_direction(game(None, "b"), unpaired(*sides), "")
    assert np.all(read_examples(way.targets, np.arange(3)).examples == 10) and set(way.inputs.spec) == {"b"}


def test_holes_are_transparent_in_the_inputs():
    holes = derived.hole(open_source("mnist5k"), "random")
    _, _, sets = translated(game(lambda nets, latents: latents["a"][..., :1], "a"), holes, n=4)
    for name in "0123":
        hole = sets.inputs.hole(name)
        assert hole.sum() == 14 * 14
        same = sets.inputs.images[name].read("L") == sets.targets.images[name].read("L")
        assert same[~hole].all() and not same[hole].all()


def test_label_maps_are_no_images():
    edges = derived.edges(open_source("mnist5k"))
    maps = edges._replace(spec={**edges.spec, "a": Leaf((28, 28, 1), label_map(1))})
    _, _, sets = translated(game(lambda nets, latents: latents["a"], "a"), maps, n=4)
    assert sets.inputs is None


def test_unknown_domain_is_refused():
    with pytest.raises(BadInput, match="--domain c is not an input of this game: choose one of a"):
        choose_direction(game(None, "a"), derived.edges(open_source("mnist5k")), "c")
