"""Sweep tables: statistics, outcomes, and the four formats."""

import csv
import io
import json
import math

import pytest
from rich.console import Console

from gan_jax.sweep import table
from gan_jax.sweep.table import About, Metric, Outcome, Row, outcome, summarize

NAN, INF = math.nan, math.inf
ABOUT = About("gan-jax sweep toy --seeds 3", "toy", range(3), "1 x cpu", {"jax": "1.2"})


def test_statistics_equal_hand_computation():
    assert summarize({0: 1.0, 1: 3.0, 2: 5.0}, higher=False) == (3, 2, 3, 1, 0, 5, 2)
    assert summarize({0: 1.0, 1: 3.0, 2: 5.0}, higher=True) == (3, 2, 3, 5, 2, 1, 0)


@pytest.mark.parametrize("higher", [False, True])
def test_nonfinite_values_are_excluded_from_the_mean_and_count_as_worst(higher):
    some = summarize({4: 2.0, 5: NAN, 6: 4.0}, higher)
    assert (some.mean, some.std, some.finite) == (3, math.sqrt(2), 2)
    assert some.best_seed == (6 if higher else 4) and some.worst_seed == 5 and math.isnan(some.worst)
    infinite = summarize({0: INF, 1: -INF, 2: 7.0}, higher)
    assert (infinite.mean, infinite.finite, infinite.best_seed) == (7, 1, 2) and math.isnan(infinite.std)
    none = summarize({0: NAN, 1: NAN}, higher)
    assert none.finite == 0 and math.isnan(none.mean) and math.isnan(none.std)


RECORDS = [
    {"step": 1, "seconds": 1.0, "d/loss": [1.0, 5.0, 0.5], "fid": [9.0, 8.0, 7.0]},
    {"step": 2, "seconds": 2.0, "d/loss": [0.5, 4.0, NAN]},
    {"step": 3, "seconds": 3.0, "d/loss": [2.0, 3.0, NAN], "fid": [10.0, 6.0, NAN]},
]


def test_outcome_is_read_from_one_lane_of_the_records():
    good = outcome(7, RECORDS, 1, frozenset(), lambda scores: scores["fid"] < 7, 0.5)
    assert good == Outcome(7, {"d/loss": 3, "fid": 6}, {"d/loss": 3, "fid": 6}, True, False, 0.5)
    worse = outcome(6, RECORDS, 0, frozenset(("d/loss",)), lambda scores: scores["fid"] < 7, 0.5)
    assert (worse.final, worse.best) == ({"d/loss": 2, "fid": 10}, {"d/loss": 2, "fid": 9})
    assert not worse.succeeded and not worse.diverged
    lost = outcome(8, RECORDS, 2, frozenset(), lambda scores: True, 0.5)
    assert lost.diverged and not lost.succeeded
    assert math.isnan(lost.final["fid"]) and lost.best == {"d/loss": 0.5, "fid": 7}
    unscored = outcome(9, [{"d/loss": [1.0], "fid": [INF]}], 0, frozenset(), lambda scores: True, 0.5)
    assert unscored.succeeded and not unscored.diverged and math.isnan(unscored.best["fid"])
    assert [outcome(0, RECORDS, lane, frozenset(), None, 0.5).succeeded for lane in range(3)] == [True, True, False]


@pytest.fixture
def rows():
    """Makes two rows; one seed of the second diverged."""
    outcomes = [outcome(seed, RECORDS, seed, frozenset(), lambda scores: True, 2.0) for seed in range(3)]
    path = "/a/folder/far/away/mine.py:tempered"
    return [Row({"loss": "hinge", "rate": "1"}, outcomes[:2], 6.0), Row({"loss": path, "rate": "2"}, outcomes, 6.0)]


METRICS = [Metric("fid", False), Metric("d/loss", True)]


def test_csv_has_a_line_per_setting_and_metric(rows):
    lines = list(csv.DictReader(io.StringIO(table.as_csv(rows, METRICS))))
    assert [(line["loss"], line["metric"]) for line in lines[:3:2]] == [
        ("hinge", "fid"),
        (rows[1].varied["loss"], "fid"),
    ]
    first, third = lines[0], lines[2]
    assert (float(first["final_mean"]), float(first["best_so_far_mean"])) == (8, 7.5)
    assert (first["final_best_seed"], first["better"], first["seeds"], first["seconds_per_seed"]) == (
        "1",
        "lower",
        "2",
        "2.0",
    )
    assert (third["final_finite"], third["succeeded"], third["diverged"]) == ("2", "2", "1")


def test_json_is_strict_and_holds_every_run(rows):
    result = json.loads(table.as_json(rows, METRICS, ABOUT), parse_constant=lambda word: pytest.fail(word))
    assert result["seeds"] == [0, 1, 2] and result["device"] == "1 x cpu"
    second = result["rows"][1]
    assert second["metrics"]["fid"]["final"]["worst"] is None
    assert second["runs"][2]["final"] == {"d/loss": None, "fid": None} and second["runs"][0]["best"]["fid"] == 9


def test_markdown_shows_table_and_command(rows):
    page = table.markdown(rows, METRICS, ABOUT)
    lines = page.splitlines()
    assert lines[0] == (
        "| loss | rate | fid ↓ | best, worst | d/loss ↑ | best, worst | succeeded | seconds | per seed "
        "| fid best so far | d/loss best so far |"
    )
    assert lines[2] == (
        "| `hinge` | `1` | 8 ± 2.83 | 6, 10 | 2.5 ± 0.707 | 3, 2 | 2 of 2 | 6 | 2.0 | 7.5 ± 2.12 | 1.75 ± 1.77 |"
    )
    assert "`mine.py:tempered`" in lines[3] and "2 of 3, 1 diverged" in lines[3] and "6, nan" in lines[3]
    assert len({line.count("|") for line in lines[:4]}) == 1
    assert "```sh\ngan-jax sweep toy --seeds 3\n```" in page
    assert "seeds 0 to 2" in page and "toy on 1 x cpu; jax 1.2." in page


def test_terminal_table_fits_three_metrics_into_120_columns(rows):
    console = Console(width=table.WIDTH, record=True, file=io.StringIO())
    long = [row._replace(varied={**row.varied, "penalty": "r1:0.1+r2:0.1"}) for row in rows]
    console.print(table.terminal(long, [*METRICS, Metric("high_quality", True)]))
    shown = console.export_text()
    first, second = shown.index("hinge"), shown.index("mine.py:tempered")
    for text in ("r1:0.1+r2:0.1", "8 ± 2.83", "6, 10", "7.5 ± 2.12", "2 of 2", "6\n", "2.0\n"):
        assert text in shown[first:second]
    for text in ("fid ↓", "d/loss ↑", "high_quality ↑", "best, worst", "best so far", "seconds", "per seed"):
        assert text in shown[:first]
    assert "1 diverged" in shown[second:]


def test_rows_tell_apart_files_of_one_name(rows):
    words = "/x/a/mine.py:p", "/x/b/mine.py:p", "hinge", "r1:0.1+/x/a/mine.py:q+/x/other.py:q:2"
    made = [Row({"loss": word}, rows[0].outcomes, 1.0) for word in words]
    shown = [line.split("`")[1] for line in table.markdown(made, [], ABOUT).splitlines() if line.startswith("| `")]
    assert shown == ["a/mine.py:p", "b/mine.py:p", "hinge", "r1:0.1+a/mine.py:q+other.py:q:2"]
    assert table.shown([{"loss": words[0], "penalty": words[3]}]) == [["mine.py:p", "r1:0.1+mine.py:q+other.py:q:2"]]
