"""Results: written and read back; refused in one table if their protocols differ."""

import json
from functools import partial

import numpy as np
import pytest
import tiny_features
from PIL import Image

from gan_jax import BadInput
from gan_jax.config.experiment import RunConfig
from gan_jax.data import from_arrays, open_source
from gan_jax.data.modality import IMAGE, Leaf
from gan_jax.evaluation import protocol, tables
from gan_jax.evaluation.inputs import Reference
from gan_jax.evaluation.real_data import open_reference, training_reference
from gan_jax.evaluation.suite import parse_metrics
from gan_jax.runs.run_data import open_data

IMAGES = np.random.RandomState(0).randint(0, 256, (60, 8, 8, 1)).astype(np.uint8)


def one(name="mine", fid=1.5, seed=0, **changes):
    """Makes results with two metrics; `changes` replace parts of the protocol."""
    reference = {"data": "tiles", "split": "train", "samples": 10}
    features = {"name": "tiny", "sha256": "00"}
    common = {"samples": 10, "reference": reference, "features": features, "drawn": {"seed": 0}} | changes
    subject = {"name": name, "settings": {"seed": seed, "ema": 0.9}, "digest": f"{name}{fid}{seed}"}
    scores = {"fid": {"fid": fid, "protocol": common}, "is": {"is": 2.0, "protocol": common}}
    return protocol.Results(subject, scores)


def protocol_of(n, net=tiny_features.net, resized=None, **drawn):
    source = from_arrays("tiles", IMAGES)
    reference = Reference("train", source, lambda: source, resized)
    return protocol.make_protocol(net, reference.features(net, n), reference, n, source.spec["x"], drawn)


def test_protocol_records_everything_that_affects_a_metric():
    common = protocol_of(60, seed=3)
    assert common["samples"] == 60 and common["image"] == [8, 8, 1] and common["quantization"] == "uint8"
    assert common["features"] == {"name": "tiny", "sha256": "0" * 64, "resize": "none"}
    assert common["drawn"] == {"seed": 3}
    assert common["reference"]["data"] == "tiles" and common["reference"]["samples"] == 60
    others = protocol_of(30), protocol_of(60, resized=8, seed=3), protocol_of(60, seed=4)
    others += (protocol_of(60, tiny_features.net._replace(sha256="1" * 64), seed=3),)
    assert all(common != other for other in others)
    assert common["reference"]["sha256"] != others[0]["reference"]["sha256"]
    metrics = parse_metrics("is,kid")
    stamped = protocol.stamp({}, {"is": {"is": 1.0}, "kid": {"kid": 0.1}}, protocol.per_metric(metrics, common, None))
    assert stamped.scores["is"]["protocol"] == {**common, **metrics["is"].settings}
    assert stamped.scores["is"]["protocol"] != stamped.scores["kid"]["protocol"]
    assert protocol.describe(common) == f"60 samples beside 60 of tiles (train), features tiny, sha256 {'0' * 64}"


@pytest.mark.parametrize(("held_out", "read"), [("test", "test"), ("valid", "val")])
def test_protocol_names_the_split_that_was_read(held_out, read, tmp_path):
    for split in ("train", held_out):
        (tmp_path / split).mkdir()
        Image.fromarray(IMAGES[0, ..., 0]).save(tmp_path / split / "1.png")
    common = RunConfig(images=8, batch_size=8, data=str(tmp_path))
    of_a_run = training_reference(common, lambda split: open_data(common, split), "test")
    for real in (open_reference(str(tmp_path), "test", None, None), of_a_run):
        made = protocol.make_protocol(
            tiny_features.net, real.features(tiny_features.net, 1), real, 1, Leaf((8, 8, 1), IMAGE), {}
        )
        assert made["reference"]["split"] == read and f"({read})" in protocol.describe(made)


@pytest.mark.parametrize("word", ["cas", "discriminator"])
def test_metrics_of_held_out_images_name_their_data(word):
    """Other images of the same name and number are another protocol; other metrics do not read them."""
    common, metrics = protocol_of(60), parse_metrics(f"{word},fid")

    def stamped(split, images):
        unseen = from_arrays("tiles", images)._replace(split=split)
        reference = Reference("train", from_arrays("tiles", IMAGES), lambda: unseen)
        return protocol.per_metric(metrics, common, reference)

    made, others = stamped("val", IMAGES[:20]), (stamped("", IMAGES[:20]), stamped("val", IMAGES[20:40]))
    assert made["fid"] == common == others[0]["fid"]
    assert made[word]["held_out"].items() >= {"data": "tiles", "split": "val", "size": 20}.items()
    assert others[0][word]["held_out"]["split"] == "test" and made[word] != others[1][word]
    assert "beside 60 of tiles (train), held out 20 of tiles (val), features" in protocol.describe(made[word])
    mnist5k = training_reference(RunConfig(8, 8), partial(open_source, "mnist5k", None))
    with pytest.raises(BadInput, match=f"{word}: mnist5k has no split 'test'"):
        protocol.per_metric(metrics, common, mnist5k)


def test_results_are_read_back_and_infinities_are_written_as_null(tmp_path):
    file = tmp_path / "scores.json"
    protocol.write(one(), file)
    assert protocol.read(file) == one()
    protocol.write(one(fid=float("inf")), file)
    assert json.loads(file.read_text())["fid"]["fid"] is None
    assert "not finite" in tables.markdown(tables.rows([protocol.read(file)]))


def test_results_are_comparable_only_under_equal_protocols(tmp_path):
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    protocol.check_comparable(files, [one(), one(fid=9.0)])
    for change, where in (
        ({"samples": 20}, r"samples is 10 in .*a.json and 20 in .*b.json"),
        ({"features": {"name": "tiny", "sha256": "11"}}, 'features sha256 is "00"'),
        ({"drawn": {"seed": 1}}, "drawn seed is 0"),
        ({"extra": 1}, "extra is null"),
    ):
        with pytest.raises(BadInput, match=f"has different protocols: {where}"):
            protocol.check_comparable(files, [one(), one(**change)])


def test_folders_of_files_are_comparable_with_any_sampling_seed(tmp_path):
    files = [tmp_path / name for name in "abc"]
    of_files = one("folder", drawn={"files": True, "resized": None})
    protocol.check_comparable(files[:2], [of_files, one()])
    with pytest.raises(BadInput, match=r"drawn seed is 0 in .*a and 1 in .*c"):
        protocol.check_comparable(files, [one(), of_files, one(drawn={"seed": 1})])


def test_text_in_place_of_a_number_is_refused(tmp_path):
    file = tmp_path / "scores.json"
    protocol.write(one(), file)
    file.write_text(file.read_text().replace('"fid": 1.5', '"fid": "1.5"'))
    with pytest.raises(BadInput, match="wrong type"):
        protocol.read(file)


def test_a_run_given_twice_counts_once():
    other = one(seed=1, fid=3.0)
    other.scores["extra"] = {"extra": 7.0, "protocol": {}}
    [row] = tables.rows([one(), one(), other])
    assert row.runs == 2 and row.values["fid"].mean == 2.25 and row.values["extra"].mean == 7


def test_folders_with_equal_names_are_shown_with_their_path():
    rows = [protocol.Results({"name": "fake", "path": path}, one().scores) for path in ("a/fake", "b/fake")]
    assert [row.name for row in tables.rows(rows)] == ["fake a/fake", "fake b/fake"]


def test_runs_of_different_code_have_different_rows_named_by_file_or_digest():
    def run(code, file, seed):
        each = one(seed=seed)
        return each._replace(subject=each.subject | {"code": code * 10, "file": file})

    a, b, moved = run("a", "/x/a/mine.py", 0), run("b", "/x/b/mine.py", 1), run("a", "/y/mine.py", 2)
    edited = run("c", "/x/a/mine.py", 3)
    assert [(row.name, row.runs) for row in tables.rows([a, moved])] == [("mine", 2)], "equal code may be anywhere"
    assert [row.name for row in tables.rows([a, b])] == ["mine a/mine.py", "mine b/mine.py"]
    assert [row.name for row in tables.rows([a, edited])] == ["mine code aaaaaaaa", "mine code cccccccc"]
    three = [row.name for row in tables.rows([a, b, edited])]
    assert three == ["mine a/mine.py code aaaaaaaa", "mine b/mine.py", "mine a/mine.py code cccccccc"]
    assert [row.runs for row in tables.rows([a, b, one(seed=4)])] == [3], "files of earlier releases do not say"


def test_results_without_a_common_metric_are_comparable(tmp_path):
    other = one(samples=20)
    del other.scores["fid"], other.scores["is"]
    protocol.check_comparable([tmp_path / "a", tmp_path / "b"], [one(), other])


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
        '{"subject": {"name": "a"}}',
        '{"subject": {"name": "a", "settings": 3}, "fid": {"fid": 1}}',
    ],
)
def test_damaged_and_missing_files_raise_bad_input(tmp_path, text):
    file = tmp_path / "scores.json"
    file.write_text(text)
    with pytest.raises(BadInput, match="holds no results"):
        protocol.read(file)
    with pytest.raises(BadInput, match="does not exist"):
        protocol.read(tmp_path / "none.json")


def test_runs_that_differ_only_in_seed_share_a_row():
    rows = tables.rows([one(fid=1.0), one(fid=2.0, seed=1), one(name="other", fid=4.0)])
    assert [(row.name, row.runs) for row in rows] == [("mine", 2), ("other", 1)]
    assert rows[0].values["fid"].mean == 1.5
    text = tables.markdown(rows)
    assert "1.5 ± 0.707" in text and "fid ↓" in text and "is ↑" in text
    assert len(text.splitlines()) == 4


def test_runs_that_differ_in_a_setting_are_named_by_it():
    other = one(fid=3.0)
    other.subject["settings"] = {"seed": 0, "ema": 0.5}
    assert [row.name for row in tables.rows([one(), other])] == ["mine --ema 0.9", "mine --ema 0.5"]


def test_runs_with_other_schedules_have_different_rows():
    def run(seed, **settings):
        each = one(seed=seed)
        return each._replace(subject=each.subject | {"settings": {"seed": seed, "ema": 0.9, **settings}})

    whole, before = run(0, images=200, schedule_images=200), run(1, images=200)
    assert [(row.name, row.runs) for row in tables.rows([whole, before])] == [("mine", 2)], "of an earlier release"
    longer = run(2, images=200, schedule_images=100)
    assert [row.name for row in tables.rows([whole, longer])] == [
        "mine --schedule-images 200",
        "mine --schedule-images 100",
    ]
