"""The grid: values, combinations, and groups that differ only in floats."""

import duel
import numpy as np
import pytest

from gan_jax import BadInput
from gan_jax.sweep.grid import combinations, group_by_structure, parse_vary, varied_floats


def grid(*vary, flags=()):
    return combinations(lambda argv: duel.experiment, list(flags), parse_vary(vary), "toy")


def test_values_are_separated_by_commas_and_may_be_quoted():
    assert parse_vary(["loss=hinge, wasserstein", "--learning-rate=1e-3"]) == {
        "loss": ["hinge", "wasserstein"],
        "learning_rate": ["1e-3"],
    }
    assert parse_vary(['data="a,b.zip",c=d']) == {"data": ["a,b.zip", "c=d"]}


def test_combinations_are_a_product_with_the_last_flag_fastest():
    cells = grid("loss=hinge,wasserstein", "scored=true,false", flags=["--learning-rate", "0.5"])
    assert [tuple(cell.varied.values()) for cell in cells] == [
        ("hinge", "true"), ("hinge", "false"), ("wasserstein", "true"), ("wasserstein", "false"),
    ]  # fmt: skip
    assert [cell.kwargs["scored"] for cell in cells] == [True, False, True, False]
    assert all(cell.settings["learning_rate"] == 0.5 for cell in cells)
    assert len(grid()) == 1


def test_combinations_that_differ_only_in_floats_are_grouped():
    cells = grid("loss=hinge,wasserstein", "penalty=none,r1:0.1,r1:1,r1:1+r2:2", "learning_rate=0.1,0.2")
    groups = group_by_structure(cells)
    assert [len(group) for group in groups] == [2, 4, 2] * 2
    assert [tuple(cell.varied.values()) for cell in groups[1]] == [
        ("hinge", "r1:0.1", "0.1"), ("hinge", "r1:0.1", "0.2"), ("hinge", "r1:1", "0.1"), ("hinge", "r1:1", "0.2"),
    ]  # fmt: skip
    differ = varied_floats(groups[1])
    assert differ.values.shape == (4, 2)
    for cell, values in zip(groups[1], differ.values, strict=True):
        assert sorted(values) == sorted(np.float32([cell.kwargs["learning_rate"], cell.kwargs["penalty"][0].weight]))
    mine = differ.kwargs([7.0, 8.0])
    assert {mine["learning_rate"], mine["penalty"][0].weight} == {7.0, 8.0}
    assert mine["loss"] == groups[1][0].kwargs["loss"]


def test_integers_are_not_grouped():
    assert [len(group) for group in group_by_structure(grid("images=240,480", "batch_size=8,16"))] == [1, 1, 1, 1]


MISTAKES = {
    "loss": "write a flag and its values",
    "=hinge": "write a flag",
    "loss=": "a value is empty",
    "loss=hinge,,wasserstein": "a value is empty",
    "loss=hinge,hinge": "a value is given twice",
    'loss="hinge': "the quotes cannot be parsed",
    "loss=hing": "unknown loss 'hing' (did you mean hinge?)",
    "los=hinge": "--vary los: unknown flag --los (did you mean --loss?)",
    "learning-rate=0.1,-1": "--learning-rate cannot be '-1'; it takes FLOAT > 0",
    "scored=maybe": "'maybe' is neither true nor false",
    "seed=1,2": "give --seeds",
    "run_dir=a,b": "one folder",
    "log-every=1,2": "--vary log_every: it does not change what is trained",
    "data_dir=a,b": "--vary data_dir: it does not change what is trained",
}


@pytest.mark.parametrize("vary", MISTAKES)
def test_wrong_values_give_one_line_errors(vary):
    with pytest.raises(BadInput) as raised:
        grid(vary)
    assert MISTAKES[vary] in str(raised.value)
    assert "\n" not in str(raised.value)


def test_varying_a_flag_twice_is_refused():
    with pytest.raises(BadInput, match="loss is given twice"):
        parse_vary(["loss=hinge", "loss=wasserstein"])
