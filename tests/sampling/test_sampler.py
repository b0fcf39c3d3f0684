"""Latents: prefix stability, chosen codes, sweeps and interpolation; parsing of choices; sampling in chunks."""

import arena
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny_codes

from gan_jax import BadInput, Game
from gan_jax.cli.codes import parse_choice, parse_codes, parse_labels, parse_range
from gan_jax.engine.step import init
from gan_jax.priors import Categorical, Normal, Uniform
from gan_jax.sampling.latents import check_codes, cycle_classes, draw_latents, interpolate_latents, sweep_code
from gan_jax.sampling.sampler import CHUNK, sampler

KEY = jax.random.key(0)

PLAIN = arena.simultaneous(arena.sgd)

CODES = {"y": Categorical(10), "c1": Categorical(3), "c2": Uniform(-1.0, 3.0)}
"""Codes of all kinds."""

NAMES = ("cat", "dog", "7", "3", "e", "f", "g", "h", "i", "j")


def conditional() -> Game:
    return PLAIN._replace(prior={"z": Normal(arena.Z), "y": Categorical(10)})


def coded() -> Game:
    return PLAIN._replace(prior=tiny_codes.PRIOR)


def test_chosen_labels_repeat_in_turn_and_keep_the_noise():
    free, chosen = draw_latents(conditional(), KEY, 5), draw_latents(conditional(), KEY, 5, {"y": (3, 1)})
    assert len(set(free["y"].tolist())) > 1 and chosen["y"].tolist() == [3, 1, 3, 1, 3]
    np.testing.assert_array_equal(free["z"], chosen["z"])
    with pytest.raises(BadInput, match="no labels"):
        draw_latents(PLAIN, KEY, 5, {"y": (3,)})


def test_chosen_codes_keep_their_dtype_and_other_latents():
    free, chosen = draw_latents(coded(), KEY, 6), draw_latents(coded(), KEY, 6, {"c1": [2.0, 0.0], "c2": [5]})
    assert chosen["c1"].tolist() == [2, 0] * 3 and chosen["c2"].tolist() == [5.0] * 6
    assert {name: leaf.dtype for name, leaf in chosen.items()} == {name: leaf.dtype for name, leaf in free.items()}
    for name in ("z", "c2"):
        np.testing.assert_array_equal(draw_latents(coded(), KEY, 6, {"c1": [1]})[name], free[name])


def test_latents_do_not_depend_on_the_number_drawn():
    for game in (conditional(), coded()):
        few, many = (draw_latents(game, KEY, n) for n in (3, 50))
        jax.tree.map(lambda a, b: np.testing.assert_array_equal(a, b[:3]), few, many)


def test_cycle_classes_uses_the_first_categorical_code():
    assert cycle_classes(conditional()) == {"y": range(10)} and cycle_classes(coded()) == {"c1": range(3)}
    assert cycle_classes(PLAIN) == {} and cycle_classes(PLAIN._replace(prior={"c": Uniform()})) == {}


def test_sweep_code_varies_only_that_code():
    fixed = draw_latents(coded(), KEY, 4)
    rows = sweep_code(coded(), fixed, "c2", [-2.0, 0.0, 2.0])
    assert rows["c2"].tolist() == [-2.0, 0.0, 2.0] * 4
    for i in range(3):
        for name in ("z", "c1"):
            np.testing.assert_array_equal(rows[name][i::3], fixed[name])
    classes = sweep_code(coded(), fixed, "c1", range(3))
    assert classes["c1"].tolist() == [0, 1, 2] * 4 and classes["c1"].dtype == jnp.int32
    with pytest.raises(BadInput, match="c1 3 is out of range: choose from 0 to 2"):
        sweep_code(coded(), fixed, "c1", range(4))


def test_interpolation_has_the_given_ends_and_keeps_labels():
    start, end = draw_latents(conditional(), KEY, 2, {"y": (4, 7)}), draw_latents(conditional(), jax.random.key(1), 2)
    path = interpolate_latents(conditional(), start, end, 5)
    assert path["z"].shape == (10, arena.Z) and path["y"].tolist() == [4] * 5 + [7] * 5
    np.testing.assert_allclose(path["z"][::5], start["z"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(path["z"][4::5], end["z"], rtol=1e-5, atol=1e-6)


def test_interpolation_is_linear_in_numbers_and_keeps_classes():
    start, end = (draw_latents(coded(), jax.random.key(seed), 3) for seed in (0, 1))
    path = interpolate_latents(coded(), start, end, 4)
    wanted = np.linspace(start["c2"], end["c2"], 4, axis=1).ravel()
    np.testing.assert_allclose(path["c2"], wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(path["c1"], np.repeat(start["c1"], 4))


def test_sampling_in_chunks_covers_every_latent():
    game = PLAIN._replace(sample=lambda nets, latents: latents["z"][:, :1, None, None] + latents["z"].mean())
    state = init(PLAIN, KEY, arena.step_batch(PLAIN))
    n = CHUNK + 3
    z = jnp.broadcast_to(jnp.arange(n, dtype=jnp.float32)[:, None], (n, arena.Z))
    images = sampler(game)(state, {"z": z})
    assert images.shape == (n, 1, 1, 1)
    means = [np.arange(CHUNK).mean(), np.arange(CHUNK, 2 * CHUNK).__mod__(n).mean()]  # the last chunk is padded
    wanted = np.arange(n) + np.repeat(means, [CHUNK, 3])
    np.testing.assert_allclose(images.ravel(), wanted, rtol=1e-6)


def test_code_and_range_words_are_parsed():
    assert parse_codes(CODES, ["c1=2", "c2=-0.5,0.5,4"]) == {"c1": [2.0], "c2": [-0.5, 0.5, 4.0]}
    assert parse_codes(CODES, []) == {}
    assert parse_range(CODES, "c1") == ("c1", range(3))
    assert parse_range(CODES, "y:2:4") == ("y", range(2, 5))
    assert parse_range(CODES, "c1:2:0")[1] == range(2, -1, -1)
    name, values = parse_range(CODES, "c2")
    assert name == "c2"
    np.testing.assert_allclose(values, np.linspace(-1, 3, 10))
    np.testing.assert_allclose(parse_range(CODES, "c2:2:-2")[1], np.linspace(2, -2, 10))


def test_labels_are_parsed_as_class_names_before_numbers():
    assert parse_labels(CODES, NAMES, ["dog", "7", "5", "3"]) == {"y": [1, 2, 5, 3]}
    assert parse_labels(CODES, tuple("0123456789"), ["3", "0"]) == {"y": [3, 0]}
    assert parse_labels({}, (), []) == {}


WRONG = {
    "c1=3": "c1 3 is out of range: choose from 0 to 2",
    "c1=-1": "c1 -1 is out of range",
    "c1=1.5": "c1 1.5 is out of range",
    "y=10": "label 10 is out of range: choose from 0 to 9",
    "c3=1": "no code c3: its codes are y, c1, c2",
    "c2": "'c2' cannot be parsed",
    "c2=": "'c2=' cannot be parsed",
    "c2=1,": "'c2=1,' cannot be parsed",
    "c2=much": "'c2=much' cannot be parsed",
    "c2=nan": "'c2=nan' cannot be parsed",
    "c2=inf": "'c2=inf' cannot be parsed",
    "=1": "no code : its codes",
}


@pytest.mark.parametrize("word", WRONG)
def test_invalid_code_words_are_refused(word):
    with pytest.raises(BadInput, match=WRONG[word]):
        parse_codes(CODES, [word])


RANGES = {
    "c3": "no code c3",
    "c1:0:3": "c1 3 is out of range",
    "c1:0.5:2": "c1 0.5 is out of range",
    "c2:1": "'c2:1' cannot be parsed",
    "c2:0:1:2": "'c2:0:1:2' cannot be parsed",
    "c2:a:b": "'c2:a:b' cannot be parsed",
    "c2:": "'c2:' cannot be parsed",
    "c2:-inf:0": "'c2:-inf:0' cannot be parsed",
    ":": "':' cannot be parsed",
}


@pytest.mark.parametrize("word", RANGES)
def test_invalid_range_words_are_refused(word):
    with pytest.raises(BadInput, match=RANGES[word]):
        parse_range(CODES, word)


@pytest.mark.parametrize(
    ("labels", "words", "vary", "says"),
    [
        (["10"], [], "", "unknown label '10': choose one of cat, dog, 7, 3"),
        (["mouse"], [], "", "unknown label 'mouse'"),
        (["-1"], [], "", "unknown label '-1'"),
        ([], ["c1=1", "c1=2"], "", "c1 is given twice: write several values as c1=0,1"),
        (["1"], ["y=2"], "", "--labels and --codes y=... set the same code"),
        (["1"], [], "y", "--vary y: y is fixed by --labels or --codes"),
        ([], ["c2=1"], "c2:-2:2", "--vary c2:-2:2: c2 is fixed by --labels or --codes"),
    ],
)
def test_conflicting_choices_are_refused(labels, words, vary, says):
    with pytest.raises(BadInput, match=says):
        parse_choice(CODES, NAMES, labels, words, vary)


def test_labels_of_an_unconditional_game_are_refused():
    for codes, says in (({}, "no labels: it has no codes"), ({"c1": Categorical(3)}, "no labels: its codes are c1")):
        with pytest.raises(BadInput, match=says):
            parse_labels(codes, ("a", "b"), ["a"])
    check_codes({}, {})
