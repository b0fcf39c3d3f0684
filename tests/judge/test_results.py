"""Results: written and read back, and refused in one table where their protocols differ."""

import json

import lenses
import numpy as np
import pytest

from gan_jax import BadInput
from gan_jax.data import from_arrays
from gan_jax.judge import results, table
from gan_jax.judge.evidence import Evidence, Reference, look_at, see
from gan_jax.judge.suite import named

IMAGES = np.random.RandomState(0).randint(0, 256, (60, 8, 8, 1)).astype(np.uint8)


def one(name="mine", fid=1.5, seed=0, **changes):
    """Results with two metrics; `changes` replace parts of the protocol."""
    protocol = {"samples": 10, "features": {"name": "tiny", "sha256": "00"}, "drawn": {"seed": 0}} | changes
    subject = {"name": name, "settings": {"seed": seed, "ema": 0.9}}
    return results.Results(
        subject, {"fid": {"fid": fid, "protocol": protocol}, "is": {"is": 2.0, "protocol": protocol}}
    )


def evidence(n=60):
    source = from_arrays("tiles", IMAGES)
    reference = Reference("train", source, lambda: source)
    return Evidence(see(lenses.net, IMAGES[:n]), look_at(reference, lenses.net, n), reference, None)


def test_the_protocol_says_all_that_a_score_depends_on():
    protocol = results.protocol(evidence(), lenses.net, {"seed": 3})
    assert protocol["samples"] == 60 and protocol["image"] == [8, 8, 1] and protocol["quantisation"] == "uint8"
    assert protocol["features"] == {"name": "tiny", "sha256": "0" * 64, "resize": "none"}
    assert protocol["drawn"] == {"seed": 3}
    assert protocol["reference"]["data"] == "tiles" and protocol["reference"]["samples"] == 60
    assert protocol["reference"]["sha256"] != results.protocol(evidence(30), lenses.net, {})["reference"]["sha256"]
    metrics = named("is,kid")
    stamped = results.stamped({"name": "x"}, {"is": {"is": 1.0}, "kid": {"kid": 0.1}}, metrics, protocol)
    assert stamped.scores["is"]["protocol"] == {**protocol, **metrics["is"].settings}
    assert stamped.scores["is"]["protocol"] != stamped.scores["kid"]["protocol"]


def test_what_is_written_is_read_back_and_what_is_not_finite_is_null(tmp_path):
    file = tmp_path / "scores.json"
    results.write(one(), file)
    assert results.read(file) == one()
    results.write(one(fid=float("inf")), file)
    assert json.loads(file.read_text())["fid"]["fid"] is None
    assert "nan" in table.markdown(table.rows([results.read(file)]))


def test_scores_of_one_protocol_are_comparable_and_of_two_are_not(tmp_path):
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    results.check_comparable(files, [one(), one(fid=9.0)])
    for change, where in (
        ({"samples": 20}, r"samples is 10 in .*a.json and 20 in .*b.json"),
        ({"features": {"name": "tiny", "sha256": "11"}}, 'features sha256 is "00"'),
        ({"drawn": {"seed": 1}}, "drawn seed is 0"),
        ({"extra": 1}, "extra is null"),
    ):
        with pytest.raises(BadInput, match=f"different protocols: {where}"):
            results.check_comparable(files, [one(), one(**change)])


def test_results_without_a_metric_in_common_are_no_contradiction(tmp_path):
    other = one(samples=20)
    del other.scores["fid"], other.scores["is"]
    results.check_comparable([tmp_path / "a", tmp_path / "b"], [one(), other])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"subject": {}}',
        '{"subject": {"name": 1}}',
        '{"fid": 1}',
        "\0",
        '{"subject": {"name": "a"}, "fid": {"fid": 1}}',
    ],
)
def test_a_damaged_file_is_told_in_a_line(tmp_path, text):
    file = tmp_path / "scores.json"
    file.write_text(text)
    with pytest.raises(BadInput, match="holds no results"):
        results.read(file)
    with pytest.raises(BadInput, match="does not exist"):
        results.read(tmp_path / "none.json")


def test_runs_that_differ_in_their_seed_are_one_row():
    rows = table.rows([one(fid=1.0), one(fid=2.0, seed=1), one(name="other", fid=4.0)])
    assert [(row.name, row.runs) for row in rows] == [("mine", 2), ("other", 1)]
    assert rows[0].values["fid"].mean == 1.5
    text = table.markdown(rows)
    assert "1.5 ± 0.707" in text and "fid ↓" in text and "is ↑" in text
    assert len(text.splitlines()) == 4


def test_runs_that_differ_in_a_setting_are_told_apart_by_it():
    other = one(fid=3.0)
    other.subject["settings"] = {"seed": 0, "ema": 0.5}
    assert [row.name for row in table.rows([one(), other])] == ["mine --ema 0.9", "mine --ema 0.5"]
