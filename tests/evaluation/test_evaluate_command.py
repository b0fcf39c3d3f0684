"""`gan-jax evaluate`: runs and folders of images; reproducible results; one-line errors that write nothing."""

import json
import re
import shutil

import numpy as np
import pytest
import tiny
from commands import command
from PIL import Image

from gan_jax.cli.evaluate import evaluate
from gan_jax.data import folder_source
from gan_jax.runs.run_dir import RunDir


@pytest.fixture(scope="module")
def folders(tmp_path_factory, tiles):
    """Writes flat folders of images: the training tiles, held-out tiles, noise, and one image repeated."""
    root, random = tmp_path_factory.mktemp("folders"), np.random.RandomState(5)
    training, held_out = (folder_source(tiles, split=split) for split in ("train", "test"))
    sets = {
        "same": training.read(np.arange(240))["x"],
        "others": held_out.read(np.arange(96))["x"],
        "noise": (255 * random.randint(0, 2, (100, 4, 4, 1))).repeat(2, axis=1).repeat(2, axis=2).astype(np.uint8),
        "collapsed": np.repeat(training.read(np.array([100]))["x"], 100, axis=0),
    }
    for name, images in sets.items():
        (root / name).mkdir()
        for i, image in enumerate(images):
            Image.fromarray(image[..., 0]).save(root / name / f"{i:03d}.png")
    return root


def scores(capfd, *argv, out):
    code, _, errors = command(capfd, "evaluate", *argv, "--out", out)
    assert code == 0, errors
    return json.loads(out.read_text())


def test_run_is_evaluated_against_its_training_data_reproducibly(capfd, run, features_flag, tmp_path):
    metrics = "fid,kid,is,prdc,modes,ndb,duplicates,memorized,ppl,discriminator"
    code, out, errors = command(capfd, "evaluate", run, "--metrics", metrics, "--samples", 120, *features_flag)
    assert code == 0, errors
    assert "fid ↓" in out and "evaluation.json" in out
    found = json.loads((run / "evaluation.json").read_text())
    assert set(found) == {"subject", *metrics.split(",")}
    assert found["subject"]["name"] == "tiny" and found["subject"]["step"] == 80 and found["subject"]["images"] == 640
    for metric in metrics.split(","):
        protocol = found[metric]["protocol"]
        assert protocol["samples"] == 120 and protocol["reference"]["samples"] == 120
        assert protocol["drawn"] == {"checkpoint": "last", "network": "moving average", "seed": 0}
        assert protocol["features"]["name"] == "tiny" and len(protocol["features"]["sha256"]) == 64
        assert len(found[metric]) > 1
    assert found["prdc"]["protocol"]["neighbors"] == 5
    assert 0 <= found["discriminator"]["d_accuracy_unseen"] <= 1
    assert (run / "evaluation" / "neighbors.png").exists() and (run / "evaluation" / "classes.png").exists()

    def again(metrics, *flags):
        flags = ("--metrics", metrics, "--samples", 120, *features_flag, *flags)
        return scores(capfd, run, *flags, out=tmp_path / "again.json")

    same = again("kid,ndb,ppl")  # each draws at random
    assert same.items() <= found.items(), "results depend only on checkpoint and seed"
    other = again("fid", "--seed", 1)
    assert other["fid"]["fid"] != found["fid"]["fid"] and other["fid"]["protocol"]["drawn"]["seed"] == 1


@pytest.mark.slow
def test_metrics_tell_good_copied_noisy_and_collapsed_folders_apart(capfd, folders, tiles, features_flag, tmp_path):
    found = {}
    for name in ("same", "others", "noise", "collapsed"):
        metrics = "kid,prdc,modes,duplicates,memorized"
        flags = ("--metrics", metrics, *features_flag)
        found[name] = scores(capfd, folders / name, tiles, *flags, out=tmp_path / f"{name}.json")
    assert found["same"]["prdc"]["precision"] == found["same"]["prdc"]["recall"] == 1
    assert found["same"]["memorized"]["memorized"] == 1 and found["others"]["memorized"]["memorized"] == 0
    assert found["others"]["prdc"]["precision"] > 0.8 and found["others"]["prdc"]["recall"] > 0.8
    assert found["noise"]["prdc"]["precision"] < 0.2
    assert found["collapsed"]["prdc"]["recall"] < 0.2 and found["collapsed"]["prdc"]["coverage"] < 0.3
    assert found["collapsed"]["modes"]["modes"] == 1
    assert found["collapsed"]["duplicates"]["duplicate_share"] == 1
    assert found["others"]["duplicates"]["duplicate_share"] < 0.5
    for broken in ("noise", "collapsed"):
        assert found[broken]["kid"]["kid"] > found["others"]["kid"]["kid"] + 5 * found["others"]["kid"]["kid_error"]
    assert found["same"]["prdc"]["protocol"]["drawn"] == {"files": True, "resized": None}


def test_npz_of_samples_gives_the_metrics_of_the_run(capfd, run, tiles, features_flag, tmp_path):
    flags = ("--metrics", "fid", "--samples", 100, *features_flag)
    direct = scores(capfd, run, *flags, "--seed", 3, out=tmp_path / "run.json")
    assert command(capfd, "sample", run, "--n", 100, "--seed", 3, "--out", tmp_path / "x.npz")[0] == 0
    stored = scores(capfd, tmp_path / "x.npz", tiles, *flags, out=tmp_path / "npz.json")
    assert stored["fid"]["fid"] == pytest.approx(direct["fid"]["fid"], rel=1e-6)


def test_evaluate_reproduces_metrics_logged_in_training(capfd, run, features_flag, tmp_path):
    records = [record for record in RunDir(run).records() if "fid" in record]
    assert [record["images"] for record in records] == [160, 320, 400, 480, 640], "also at the end of a phase"
    last = scores(capfd, run, "--metrics", "fid,prdc", "--samples", 100, *features_flag, out=tmp_path / "last.json")
    assert last["fid"]["fid"] == pytest.approx(records[-1]["fid"], rel=1e-6)
    assert last["prdc"]["recall"] == records[-1]["recall"]
    best = scores(
        capfd, run, "--best", "--metrics", "fid", "--samples", 100, *features_flag, out=tmp_path / "best.json"
    )
    assert best["fid"]["fid"] == pytest.approx(min(record["fid"] for record in records), rel=1e-6)
    assert best["fid"]["protocol"]["drawn"]["checkpoint"] == "best fid"
    assert (run / "scores.png").exists()


def test_compare_tabulates_equal_protocols_and_refuses_different_ones(
    capfd, run, folders, tiles, features_flag, tmp_path
):
    for name in ("others", "noise"):
        scores(capfd, folders / name, tiles, "--metrics", "prdc", *features_flag, out=tmp_path / f"{name}.json")
    code, _, errors = command(capfd, "compare", tmp_path / "others.json", tmp_path / "noise.json")
    assert code == 2 and "samples is 96" in errors and len(errors.splitlines()) == 1
    for name in ("others", "noise"):
        flags = ("--metrics", "prdc", "--samples", 96, *features_flag)
        scores(capfd, folders / name, tiles, *flags, out=tmp_path / f"{name}.json")
    files = (tmp_path / "others.json", tmp_path / "noise.json")
    code, out, errors = command(capfd, "compare", *files, "--out", tmp_path / "table.md")
    assert code == 0, errors
    assert "precision ↑" in out and "noise" in (tmp_path / "table.md").read_text()
    assert (tmp_path / "table.png").exists()


@pytest.mark.slow
def test_mistakes_give_one_line_errors_and_write_nothing(capfd, run, folders, tiles, features_flag, tmp_path):
    empty_run = tmp_path / "empty"
    empty_run.mkdir()
    shutil.copy(run / "manifest.json", empty_run)
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, images=np.array([{}], object))
    empty_file = tmp_path / "empty.npz"
    np.savez(empty_file, images=np.zeros((0, 8, 8, 1), np.uint8))
    big = tmp_path / "big"
    big.mkdir()
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(big / "a.png")
    color = tmp_path / "color"
    color.mkdir()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(color / "a.png")
    wrong = tmp_path / "weights-00000000.pth"
    wrong.write_bytes(b"\x80\x04\x95 no weights")
    here = folders / "others"
    for argv, complaint in (
        ([tmp_path / "nowhere"], "does not exist"),
        ([empty_run], "no checkpoint"),
        ([run, "--metrics", "fod", *features_flag], "did you mean fid"),
        ([run, "--metrics", "", *features_flag], "choose one of fid"),
        ([run, "--metrics", "fid", "--samples", 5, *features_flag], "fid: .*few"),
        ([run, "--metrics", "fid"], "8x8x1"),
        ([run, "--metrics", "fid", "--features", "nothing"], "write mnist"),
        ([run, "--metrics", "fid", "--features", f"{tiles}/none.py:net"], "cannot be read"),
        ([run, "--metrics", "cas", *features_flag], "cas: .*needs classes"),
        ([run, "--metrics", "label_accuracy", *features_flag], "label_accuracy: .*needs classes"),
        ([run, "--metrics", "memorized", "--split", "test", *features_flag], "memorized: .*leave --split out"),
        ([run, "--best", "--step", 40, *features_flag], "two checkpoints"),
        ([here, "--split", "test", *features_flag], "give REFERENCE as well"),
        ([run, "--data-dir", tiles, *features_flag], "give REFERENCE as well"),
        ([here, "mnist", "--data-dir", tmp_path / "none", *features_flag], "is not a folder"),
        ([run, "--metrics", "duplicates", "--samples", 400, *features_flag], "duplicates: .*there are 240"),
        ([run, tiles, "--metrics", "discriminator", *features_flag], "leave REFERENCE out"),
        ([empty_file, tiles, *features_flag], "holds no images"),
        ([run, "--metrics", "fid", "--step", 7, *features_flag], "no checkpoint of step 7"),
        ([run, "--metrics", "fid", "--features", "mnist"], "this classifier takes images"),
        ([run, "--metrics", "fid", "--inception-weights", wrong], "not 00000000: download"),
        ([here, "--metrics", "fid", *features_flag], "no real images to compare with"),
        ([here, tiles, "--metrics", "ppl", *features_flag], "ppl: .*give its folder"),
        ([here, big, "--metrics", "fid", *features_flag], "8x8x1, .*9x9x1"),
        ([here, color, "--metrics", "fid", *features_flag], "8x8x1, .*8x8x3"),
        ([here, tiles, "--seed", 1, *features_flag], "is not a run"),
        ([here, "mnist5k", "--split", "test", *features_flag], "no split 'test'"),
        ([pickled, tiles, *features_flag], "cannot be read as samples"),
    ):
        out = tmp_path / "out.json"
        code, _, errors = command(capfd, "evaluate", *argv, "--out", out)
        assert code == 2, (argv, errors)
        assert len(errors.splitlines()) == 1 and "Traceback" not in errors, errors
        assert re.search(complaint, errors), (argv, errors)
        assert not out.exists() and not out.with_suffix("").exists()


@pytest.mark.slow
@pytest.mark.parametrize("exact", [True, False])
def test_compare_gives_the_metrics_of_single_runs(capfd, run, tiles, features_flag, tmp_path, exact):
    flags = ["--data", tiles, "--images", 640, "--batch-size", 8, "--evaluate", "fid,kid", "--evaluate-every", 320]
    flags += ["--evaluate-samples", 100, *features_flag, "--seeds", 2, "--run-dir", tmp_path / "both"]
    flags += ["--exact"] if exact else []
    code, out, errors = command(capfd, "compare", tiny.__file__, *flags)
    assert code == 0, errors
    assert "fid" in out and "kid_error" not in out
    table = json.loads((tmp_path / "both" / "table.json").read_text())
    scores = [outcome["final"]["fid"] for outcome in table["rows"][0]["runs"]]
    alone = [record["fid"] for record in RunDir(run).records() if "fid" in record]
    assert scores[0] == pytest.approx(alone[-1], rel=1e-6 if exact else 0.2), "seed 0 is the single run"
    assert scores[1] != scores[0]
    assert command(capfd, "compare", tiny.__file__, *flags)[1].splitlines()[0] == out.splitlines()[0]


@pytest.mark.slow
def test_resumed_run_has_the_metrics_and_best_checkpoint_of_an_unstopped_one(capfd, tiles, features_flag, tmp_path):
    flags = ["--data", tiles, "--batch-size", 8, "--evaluate", "prdc", "--evaluate-every", 160, "--best", "recall"]
    flags += ["--evaluate-samples", 100, "--keep", 1, "--schedule-images", 640, *features_flag]
    for name, lengths in (("whole", (640,)), ("parts", (400, 640))):
        for images in lengths:
            code, out, errors = command(
                capfd, "train", tiny.__file__, *flags, "--images", images, "--run-dir", tmp_path / name
            )
            assert code == 0, errors
    assert "recall" in out and "at the end; best" in out and "sha256" in out
    whole, parts = (RunDir(tmp_path / name) for name in ("whole", "parts"))
    scores = [[(r["images"], r["recall"]) for r in folder.records() if "recall" in r] for folder in (whole, parts)]
    assert scores[0] == scores[1] and len(scores[0]) == 5
    best = max(reversed(scores[0]), key=lambda each: each[1])
    for folder in (whole, parts):
        code, out, errors = command(
            capfd, "evaluate", folder.path, "--best", "--metrics", "prdc", "--samples", 100, *features_flag
        )
        assert code == 0, errors
        found = json.loads((folder.path / "evaluation-best.json").read_text())
        assert found["prdc"]["recall"] == best[1] and found["subject"]["images"] == best[0]


def test_resuming_with_another_protocol_is_refused(capfd, run, tiles, features_flag):
    flags = ["--data", tiles, "--images", 800, "--batch-size", 8, "--run-dir", run, *features_flag, "--evaluate", "fid"]
    before = (run / "manifest.json").read_bytes()
    code, _, errors = command(capfd, "train", tiny.__file__, *flags, "--evaluate-samples", 90)
    assert code == 2 and "samples is 100" in errors and len(errors.splitlines()) == 1
    assert (run / "manifest.json").read_bytes() == before


@pytest.mark.slow
def test_impossible_evaluation_is_refused_before_training(capfd, tiles, features_flag, tmp_path):
    flags = ["--data", tiles, "--images", 640, "--batch-size", 8, *features_flag, "--run-dir", tmp_path / "run"]
    for wanted, complaint in (
        (["--evaluate", "fod"], "did you mean fid"),
        (["--evaluate", "fid", "--evaluate-samples", 5], "fid: .*few"),
        (["--evaluate", "label_accuracy"], "needs classes"),
        (["--evaluate", "fid", "--best", "fod"], "--best fod is not logged"),
        (["--evaluate", "fid", "--features", "nothing"], "write mnist"),
    ):
        code, _, errors = command(capfd, "train", tiny.__file__, *flags, *wanted)
        assert code == 2 and re.search(complaint, errors) and len(errors.splitlines()) == 1, errors
        assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_diverging_run_is_evaluated_before_it_stops(capfd, tiles, features_flag, tmp_path):
    flags = ["--data", tiles, "--images", 320, "--batch-size", 8, *features_flag, "--run-dir", tmp_path / "run"]
    flags += ["--log-every", 40, "--sample-every", 40]
    flags += ["--learning-rate", "1e38", "--evaluate", "kid,discriminator", "--evaluate-samples", 90]
    code, _, errors = command(capfd, "train", tiny.__file__, *flags)
    assert code == 3 and "are not finite from step 1 on" in errors
    last = RunDir(tmp_path / "run").records()[-1]
    assert np.isfinite(last["kid"]) and np.isnan(last["d_accuracy_seen"])


@pytest.mark.slow
def test_class_folders_are_evaluated_per_class(capfd, tiles, features_flag, tmp_path):
    metrics = "intra_fid,label_accuracy,cas"
    found = scores(capfd, tiles, tiles, "--metrics", metrics, *features_flag, out=tmp_path / "classes.json")
    assert found["intra_fid"]["intra_fid"] == pytest.approx(0, abs=1e-6)
    assert found["cas"]["cas"] > 0.9, "the four levels of gray are easily learned"
    assert 0 <= found["label_accuracy"]["label_accuracy"] <= 1


def test_scores_are_written_although_they_cannot_be_printed(monkeypatch, run, features_flag, tmp_path):
    """Whatever fails after the scores are computed, the file has them."""

    def fail(*_):
        raise BrokenPipeError

    monkeypatch.setattr("gan_jax.cli.evaluate.print_table", fail)
    with pytest.raises(BrokenPipeError):
        evaluate(run, metrics="fid", samples=32, features=features_flag[1], out=tmp_path / "s.json")
    assert json.loads((tmp_path / "s.json").read_text())["fid"]["fid"] > 0
