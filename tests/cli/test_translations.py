"""Runs of games on inputs: exact resume, previews, and `gan-jax sample` with inputs of the run's data or of files."""

import json
from pathlib import Path

import arena
import jax
import numpy as np
import pytest
import tiny_paired
import tiny_unpaired
from commands import command
from PIL import Image

from gan_jax.data.source import read_rounded
from gan_jax.evaluation.inputs import read_examples, subset_indices
from gan_jax.evaluation.translations import choose_direction, example_translator
from gan_jax.metrics import psnr
from gan_jax.runs.run_dir import RunDir
from gan_jax.training.restore import open_examples, restore

pytestmark = pytest.mark.slow

HALF = {"paired": ("--images", "40", "--schedule-images", "80"), "unpaired": ("--images", "40")}
FILES = {"paired": tiny_paired.__file__, "unpaired": tiny_unpaired.__file__}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Trains both tiny games, each once as a whole and once in two halves."""
    folder = tmp_path_factory.mktemp("runs")
    for name, file in FILES.items():
        train(file, "--run-dir", folder / name)
        train(file, *HALF[name], "--run-dir", folder / f"{name}-halves")
        train(file, "--images", "80", "--run-dir", folder / f"{name}-halves")
    return folder


def train(*argv):
    with pytest.raises(SystemExit) as done:
        from gan_jax.cli.main import main

        main(["train", *map(str, argv)])
    assert not done.value.code


@pytest.fixture
def photos(tmp_path):
    """Writes gray images of two sizes."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, size in (("a", (12, 8)), ("b", (10, 10))):
        Image.fromarray(np.full(size[::-1], 128, np.uint8)).save(folder / f"{name}.png")
    return folder


@pytest.mark.parametrize("name", FILES)
def test_run_in_two_halves_ends_in_the_same_bits(runs, name):
    """Phase border and half-full pools included."""
    whole, halves = (RunDir(runs / each).read_digests() for each in (name, f"{name}-halves"))
    assert whole[-1]["digest"] == halves[-1]["digest"] and whole[-1]["images"] == 80
    records = [json.loads(line) for line in (runs / name / "metrics.jsonl").read_text().splitlines()]
    assert ("error" in records[-1]) == (name == "paired")
    assert [record["step"] for record in records] == [5, 10]


@pytest.mark.parametrize(
    ("name", "columns"),
    [("paired", ["inputs", "images", "x"]), ("unpaired", ["a", "fake_b", "cycle_a", "b", "fake_a", "cycle_b"])],
)
def test_inputs_of_the_run_stand_beside_what_was_made_of_them(capfd, runs, tmp_path, name, columns):
    code, shown, errors = command(capfd, "sample", runs / name, "--out", tmp_path / "s.npz", "--n", "3")
    assert (code, shown, errors) == (0, f"{tmp_path / 's.npz'}\n", "")
    arrays = dict(np.load(tmp_path / "s.npz"))
    assert [each for each in arrays if not each.startswith("y")] == columns
    assert all(arrays[each].shape[:3] == (3, 28, 28) and arrays[each].dtype == np.uint8 for each in columns)
    if name == "paired":
        assert set(np.unique(arrays["inputs"])) == {0, 255} and not np.array_equal(arrays["images"], arrays["x"])
    assert command(capfd, "sample", runs / name, "--out", tmp_path / "s.png", "--n", "3")[0] == 0
    assert Image.open(tmp_path / "s.png").size[0] == 2 * len(columns) * 30 + 2
    preview = Image.open(sorted((runs / name / "samples").glob("*.png"))[-1])
    assert preview.size[0] == (3 if name == "paired" else 2) * len(columns) * 30 + 2


@pytest.mark.parametrize(("name", "flags"), [("paired", []), ("unpaired", []), ("unpaired", ["--domain", "b"])])
def test_files_of_any_size_are_translated_under_their_names(capfd, runs, photos, tmp_path, name, flags):
    out = tmp_path / "out"
    code, shown, errors = command(capfd, "sample", runs / name, "--inputs", photos, "--out", out, *flags)
    assert code == 0 and shown == f"{out}\n" and "2 images" in errors
    made = {file.name: Image.open(file) for file in out.iterdir()}
    assert {name: image.size for name, image in made.items()} == {"a.png": (12, 8), "b.png": (10, 10)}
    again = tmp_path / "again"
    command(capfd, "sample", runs / name, "--inputs", photos, "--out", again, *flags)
    assert all((again / name).read_bytes() == (out / name).read_bytes() for name in made)


def test_both_directions_differ(capfd, runs, photos, tmp_path):
    for domain in "ab":
        flags = ["--inputs", photos, "--out", tmp_path / domain, "--domain", domain]
        assert command(capfd, "sample", runs / "unpaired", *flags)[0] == 0
    assert (tmp_path / "a" / "b.png").read_bytes() != (tmp_path / "b" / "b.png").read_bytes()


def test_a_data_set_by_name_is_translated_to_arrays(capfd, runs, tmp_path):
    flags = ["--inputs", "mnist5k", "--n", "4", "--out", tmp_path / "s.npz"]
    assert command(capfd, "sample", runs / "unpaired", *flags)[0] == 0
    arrays = np.load(tmp_path / "s.npz")
    assert list(arrays) == ["inputs", "fake_b", "cycle_a"] and arrays["fake_b"].shape == (4, 28, 28, 1)


@pytest.mark.parametrize("kind", ["folder", "arrays"])
def test_inputs_are_resized_as_in_training(capfd, runs, photos, tmp_path, kind):
    inputs = photos
    if kind == "arrays":
        inputs = f"{tmp_path / 'x.npz'}@test"
        np.savez(tmp_path / "x.npz", x_train=np.zeros((1, 9, 6), np.uint8), x_test=np.full((2, 9, 6), 50, np.uint8))
    flags = ["--inputs", inputs, "--image-size", 28, "--out", tmp_path / "s.npz"]
    code, _, errors = command(capfd, "sample", runs / "unpaired", *flags)
    arrays = np.load(tmp_path / "s.npz")
    assert code == 0 and arrays["inputs"].shape == arrays["fake_b"].shape == (2, 28, 28, 1), errors
    assert np.all(arrays["inputs"] == (128 if kind == "folder" else 50))


def mistakes(photos, out):
    full = out / "full"
    full.mkdir(parents=True)
    (full / "mine.txt").write_text("mine")
    return {
        "no such domain": (["--inputs", photos, "--domain", "c", "--out", out / "new"], "choose one of a, b"),
        "folder in use": (["--inputs", photos, "--out", full], "holds files already"),
        "sizes differ": (["--inputs", photos, "--out", out / "s.npz"], "inputs differ in size"),
        "archives of files": (
            ["--inputs", photos, "--data-dir", photos, "--out", out / "new"],
            "is for TFDS data sets",
        ),
        "archives of nothing": (["--data-dir", photos, "--out", out / "s.npz"], "--data-dir is for --inputs"),
        "no images": (["--inputs", full, "--out", out / "new"], "holds no images"),
    }


MISTAKES = ("no such domain", "folder in use", "sizes differ", "archives of files", "archives of nothing", "no images")


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_one_line_and_write_nothing(capfd, runs, photos, tmp_path, mistake):
    flags, words = mistakes(photos, tmp_path / "o")[mistake]
    before = sorted(tmp_path.rglob("*"))
    code, _, errors = command(capfd, "sample", runs / "unpaired", *flags)
    told = [line for line in errors.splitlines() if not line.startswith("inputs ")]
    assert code == 2 and len(told) == 1 and words in told[0], errors
    assert sorted(tmp_path.rglob("*")) == before


def test_a_run_on_pairs_is_evaluated_on_its_data(capfd, runs, tmp_path):
    flags = ["--metrics", "psnr,kid", "--samples", 40, "--features", "mnist"]
    code, _, errors = command(capfd, "evaluate", runs / "paired", *flags, "--out", tmp_path / "s.json")
    assert code == 0, errors
    found = json.loads((tmp_path / "s.json").read_text())
    assert found["subject"]["run"] == str(runs / "paired") and list(found) == ["subject", "psnr", "kid"]
    for name in ("psnr", "kid"):
        drawn = found[name]["protocol"]["drawn"]
        assert drawn["inputs"] == {"data": "mnist5k", "split": "train", "array": "a"} and drawn["seed"] == 0
    run = restore(runs / "paired")
    way = choose_direction(run.game, open_examples(RunDir(runs / "paired")), "")
    made = example_translator(run.game, way, jax.random.key(0))(run.state, 40).examples
    real = read_examples(way.targets, subset_indices(way.targets.size, 40)).examples
    inputs = read_rounded(way.inputs, subset_indices(way.inputs.size, 40))["a"]
    for name, x in (("psnr", made), ("psnr_input", inputs)):
        assert found["psnr"][name] == pytest.approx(np.mean(psnr(x, real, luminance=True, border=4)), rel=1e-5)


@pytest.mark.parametrize(("domain", "array"), [([], "a"), (["--domain", "b"], "b")])
def test_a_run_on_unpaired_data_is_evaluated_by_the_classes_of_its_inputs(capfd, runs, tmp_path, domain, array):
    flags = ["--metrics", "accuracy,label_accuracy", "--samples", 50, "--features", "mnist", *domain]
    code, _, errors = command(capfd, "evaluate", runs / "unpaired", *flags, "--out", tmp_path / "s.json")
    assert code == 0, errors
    found = json.loads((tmp_path / "s.json").read_text())
    assert found["accuracy"]["protocol"]["drawn"]["inputs"]["array"] == array
    assert found["accuracy"]["accuracy"] == pytest.approx(found["label_accuracy"]["label_accuracy"])
    assert found["accuracy"]["accuracy_reference"] > 0.9


@pytest.mark.parametrize(
    ("name", "flags", "words"),
    [
        ("unpaired", ["--metrics", "psnr"], "psnr compares images with their targets, which unpaired data has not"),
        ("unpaired", ["--metrics", "accuracy"], "accuracy needs a classifier"),
        ("unpaired", ["--metrics", "fid", "--domain", "c"], "choose one of a, b"),
        ("unpaired", ["--metrics", "ppl"], "ppl: this metric needs a run whose samples are drawn from noise"),
        ("paired", ["mnist5k", "--metrics", "psnr"], "is compared with its own data, --split of it: leave mnist5k out"),
        ("paired", ["--metrics", "psnr", "--inputs", "mnist5k"], "--inputs is for files: a run has its own"),
        ("paired", ["--metrics", "masked_psnr"], "masked_psnr: 0: the mask of image 0 is empty"),
    ],
)
def test_mistakes_when_a_run_is_evaluated_are_one_line_and_write_nothing(capfd, runs, tmp_path, name, flags, words):
    argv = [runs / name, *flags, "--samples", 20, "--out", tmp_path / "s.json"]
    code, _, errors = command(capfd, "evaluate", *argv)
    assert code == 2 and len(errors.splitlines()) == 1 and words in errors, errors
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--metrics", "psnr"], "psnr compares images with their targets by file name: give a folder of images"),
        (["--metrics", "fid", "--domain", "b"], "makes samples without inputs: leave --domain out"),
    ],
)
def test_flags_of_translations_are_refused_for_other_runs(capfd, shared_run, tmp_path, flags, words):
    code, _, errors = command(capfd, "evaluate", shared_run, *flags, "--out", tmp_path / "s.json")
    assert code == 2 and len(errors.splitlines()) == 1 and words in errors, errors


def test_inputs_for_a_game_without_inputs_are_refused(capfd, shared_run, photos):
    code, _, errors = command(capfd, "sample", shared_run, "--inputs", photos)
    assert code == 2 and "makes samples without inputs" in errors and len(errors.splitlines()) == 1


def test_data_without_inputs_is_refused_before_anything_is_written(capfd, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(Path(FILES["paired"]).read_text().replace(", data=data)", ")"))
    code, _, errors = command(capfd, "train", file, "--run-dir", tmp_path / "run")
    assert code == 2 and "mnist5k has no 'a'" in errors and not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", FILES)
def test_scores_while_training_are_those_of_the_finished_run(capfd, tmp_path, name):
    flags = [
        "--evaluate",
        "kid",
        "--best",
        "kid",
        "--evaluate-every",
        40,
        "--evaluate-samples",
        70,
        "--features",
        "mnist",
    ]
    code, _, errors = command(capfd, "train", FILES[name], *flags, "--run-dir", tmp_path / "run")
    assert code == 0, errors
    records = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    argv = [tmp_path / "run", "--metrics", "kid", "--samples", 70, "--features", "mnist", "--out", tmp_path / "s.json"]
    code, _, errors = command(capfd, "evaluate", *argv)
    assert code == 0, errors
    assert json.loads((tmp_path / "s.json").read_text())["kid"]["kid"] == pytest.approx(records[-1]["kid"], rel=1e-6)
    assert len({record["kid"] for record in records}) == 2


@pytest.mark.parametrize(("name", "metric", "says"), [("paired", "psnr", "evaluate"), ("unpaired", "cas", "held-out")])
def test_scores_that_training_cannot_have_are_refused_before_anything_is_written(capfd, tmp_path, name, metric, says):
    code, _, errors = command(capfd, "train", FILES[name], "--evaluate", metric, "--run-dir", tmp_path / "run")
    assert code == 2 and says in errors and len(errors.splitlines()) == 1 and not (tmp_path / "run").exists()


@pytest.fixture
def pretrained(tmp_path):
    """Writes an experiment whose perceptual loss has its weights in a file, and the file; returns its command."""
    text = Path(FILES["paired"]).read_text().replace("features=FEATURES", "features=_frozen(weights)")
    text = text.replace(") -> Experiment", "    weights: WeightsFile = None,\n) -> Experiment")
    text = text.replace("        common: The", "        weights: Those of the features.\n        common: The")
    head = "from numpy import load\nfrom gan_jax.config.flags import WeightsFile\n"
    tail = "\n\ndef _frozen(weights):\n    return FEATURES._replace(variables=lambda: load(weights)['mix'])\n"
    (tmp_path / "mine.py").write_text(text.replace("import optax\n", f"{head}import optax\n") + tail)
    np.savez(tmp_path / "w.npz", mix=arena.COLORS)
    return ["train", tmp_path / "mine.py", "--weights", tmp_path / "w.npz", "--run-dir", tmp_path / "run"]


def test_weights_are_part_of_the_run_but_not_needed_to_sample_it(capfd, pretrained, tmp_path):
    assert command(capfd, *pretrained, "--images", 16)[0] == 0
    np.savez(tmp_path / "w.npz", mix=2 * arena.COLORS)
    code, _, errors = command(capfd, *pretrained, "--images", 32)
    assert code == 2 and f"an earlier version of {tmp_path / 'w.npz'}" in errors and len(errors.splitlines()) == 1
    (tmp_path / "w.npz").unlink()
    assert command(capfd, "sample", tmp_path / "run", "--out", tmp_path / "grid.png")[0] == 0


def test_missing_weights_are_refused_before_anything_is_written(capfd, pretrained, tmp_path):
    (tmp_path / "w.npz").unlink()
    code, _, errors = command(capfd, *pretrained, "--images", 16)
    assert code == 2 and f"{tmp_path / 'w.npz'}" in errors and len(errors.splitlines()) == 1
    assert not (tmp_path / "run").exists()
