"""`gan-jax sample` for games with labels and codes: samples, files, and one-line errors."""

import jax
import numpy as np
import pytest
import tiny_codes
import tiny_conditional
from commands import command, snapshot
from PIL import Image

from gan_jax.cli import sample
from gan_jax.cli.codes import parse_labels
from gan_jax.cli.main import main
from gan_jax.data.modality import to_uint8
from gan_jax.errors import BadInput
from gan_jax.priors import Categorical
from gan_jax.sampling.latents import draw_latents
from gan_jax.sampling.sampler import sampler
from gan_jax.training.restore import restore


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Writes a folder of ten black 28 x 28 images, one per named class."""
    folder = tmp_path_factory.mktemp("data")
    for name in ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]:
        (folder / name).mkdir()
        Image.new("L", (28, 28)).save(folder / name / "1.png")
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory, digits):
    """Trains two tiny runs: a conditional game on named classes, and a game with codes."""
    folder = tmp_path_factory.mktemp("runs")
    for name, *argv in (
        ("conditional", tiny_conditional.__file__, "--data", str(digits)),
        ("codes", tiny_codes.__file__),
    ):
        with pytest.raises(SystemExit) as done:
            main(["train", *argv, "--run-dir", str(folder / name)])
        assert not done.value.code
    return folder


@pytest.fixture
def arrays(capfd, runs, tmp_path):
    """Returns `arrays(run, *flags)`, the arrays that `sample` writes."""

    def draw(run, *flags):
        out = tmp_path / "drawn.npz"
        code, shown, errors = command(capfd, "sample", runs / run, *flags, "--out", out)
        assert (code, shown, errors) == (0, f"{out}\n", "")
        return dict(np.load(out))

    return draw


def size_of(rows, cols):
    """Returns the size of a grid of 28 x 28 images."""
    return 30 * cols + 2, 30 * rows + 2


@pytest.mark.parametrize("run", ["conditional", "codes"])
def test_sample_without_flags_redraws_the_last_preview(capfd, runs, run, tmp_path):
    code, *_ = command(capfd, "sample", runs / run, "--out", tmp_path / "grid.png")
    assert code == 0
    assert (tmp_path / "grid.png").read_bytes() == (runs / run / "samples" / "0000000080.png").read_bytes()


def test_preview_of_a_conditional_game_cycles_through_classes(arrays):
    assert arrays("conditional")["labels"].tolist() == [*range(10), 0, 1]
    assert arrays("codes")["c1"].tolist() == [0, 1, 2, 0, 1, 2, 0, 1]


def test_labels_repeat_in_turn_and_images_depend_on_label_and_noise(arrays, runs):
    drawn = arrays("conditional", "--labels", 3, 8, "--n", 5)
    assert drawn["labels"].tolist() == [3, 8, 3, 8, 3] and drawn["images"].shape == (5, 28, 28, 1)
    run = restore(runs / "conditional")
    wanted = sampler(run.game)(run.state, draw_latents(run.game, jax.random.key(0), 5, {"y": [3, 8]}))
    np.testing.assert_array_equal(drawn["images"], to_uint8(wanted))
    assert (arrays("conditional", "--labels", 8, 3, "--n", 5)["images"] != drawn["images"]).any((1, 2, 3)).all()


def test_labels_are_given_by_class_name(arrays):
    # Class folders are numbered in their sorted order: eight, five, four, nine, ...
    drawn = arrays("conditional", "--labels", "nine", "eight", "5", "--n", 3)
    assert drawn["labels"].tolist() == [3, 0, 5]
    np.testing.assert_array_equal(arrays("conditional", "--labels", 3, 0, 5, "--n", 3)["images"], drawn["images"])


@pytest.mark.parametrize(
    "classes", [[str(i) for i in range(1, 12)], ["-1", "0", "1"], ["1.5", "0", "1"], ["01", "02"], ["3", "2", "1", "0"]]
)
def test_where_all_class_names_are_numbers_only_names_count(classes):
    """Else `--labels 1` would be a name and `--labels 0`, beside it, a position."""
    codes = {"y": Categorical(len(classes))}
    for number in map(str, range(12)):
        if number in classes:
            assert parse_labels(codes, classes, [number]) == {"y": [classes.index(number)]}
        else:
            with pytest.raises(BadInput, match=f"unknown label '{number}': choose one of {classes[0]}, "):
                parse_labels(codes, classes, [number])
    named = [*classes, "cat"]
    assert parse_labels({"y": Categorical(len(named))}, named, [str(len(classes)), "cat"])["y"][1] == len(classes)


def test_codes_are_written_under_their_names(arrays):
    drawn = arrays("codes", "--codes", "c1=2", "c2=-0.5,0.5", "--n", 4)
    assert drawn.keys() == {"images", "c1", "c2"}
    assert drawn["c1"].tolist() == [2] * 4 and drawn["c2"].tolist() == [-0.5, 0.5] * 2


def test_vary_gives_one_row_per_sample(arrays):
    drawn = arrays("codes", "--vary", "c2:-2:2")
    assert len(drawn["images"]) == 2 * 10  # as many rows as the run's preview
    np.testing.assert_allclose(drawn["c2"], np.tile(np.linspace(-2, 2, 10), 2), rtol=1e-6)
    assert drawn["c1"].tolist() == [0] * 10 + [1] * 10
    whole = arrays("codes", "--vary", "c1", "--codes", "c2=0", "--n", 8)
    assert whole["c1"].tolist() == [0, 1, 2] * 8 and not whole["c2"].any()
    # Each cell equals the sample with that code.
    alone = arrays("codes", "--codes", "c1=1", "c2=0", "--n", 8)
    np.testing.assert_array_equal(whole["images"][1::3], alone["images"])
    assert arrays("conditional", "--vary", "y", "--n", 2)["labels"].tolist() == [*range(10)] * 2


def test_interpolation_keeps_classes(arrays):
    drawn = arrays("conditional", "--labels", 4, 7, "--interpolate", 5, "--n", 2)
    assert drawn["labels"].tolist() == [4] * 5 + [7] * 5
    np.testing.assert_array_equal(drawn["images"][::5], arrays("conditional", "--labels", 4, 7, "--n", 2)["images"])


@pytest.mark.parametrize(
    ("run", "flags", "cells"),
    [
        ("conditional", [], (3, 4)),
        ("conditional", ["--n", 12], (3, 4)),
        ("conditional", ["--n", 7], (3, 3)),
        ("conditional", ["--vary", "y"], (3, 10)),
        ("conditional", ["--vary", "y:3:5", "--n", 12], (12, 3)),
        ("conditional", ["--interpolate", 6], (3, 6)),
        ("conditional", ["--interpolate", 6, "--n", 12], (12, 6)),
        ("codes", ["--vary", "c1", "--n", 1], (1, 3)),
    ],
)
def test_pictures_have_the_requested_rows(capfd, runs, tmp_path, run, flags, cells):
    code, *_ = command(capfd, "sample", runs / run, *flags, "--out", tmp_path / "grid.png")
    assert code == 0
    assert Image.open(tmp_path / "grid.png").size == size_of(*cells)


MISTAKES = {
    "label out of range": ("conditional", ["--labels", 3, 10], "unknown label '10': choose one of eight, five"),
    "negative label": ("conditional", ["--labels", -1], "unknown label '-1'"),
    "label that is no class": (
        "conditional",
        ["--labels", "ten"],
        "unknown label 'ten': choose one of eight, five",
    ),
    "labels without classes": ("codes", ["--labels", 1], "this game has no labels: its codes are c1, c2"),
    "no such code": ("codes", ["--codes", "c3=1"], "this game has no code c3: its codes are c1, c2"),
    "no codes but labels": ("conditional", ["--vary", "c1"], "this game has no code c1: its codes are y"),
    "no such class of a code": ("codes", ["--codes", "c1=3"], "c1 3 is out of range: choose from 0 to 2"),
    "no value": ("codes", ["--codes", "c1"], "'c1' cannot be parsed"),
    "no number": ("codes", ["--codes", "c2=much"], "'c2=much' cannot be parsed"),
    "half a range": ("codes", ["--vary", "c2:1"], "'c2:1' cannot be parsed"),
    "twice": ("codes", ["--codes", "c1=1", "c1=2"], "c1 is given twice"),
    "fixed and varied": ("codes", ["--codes", "c2=1", "--vary", "c2"], "c2 is fixed by --labels or --codes"),
    "labels fixed and varied": ("conditional", ["--labels", 1, "--vary", "y"], "y is fixed by --labels or --codes"),
    "labels twice": ("conditional", ["--labels", 1, "--codes", "y=1"], "--labels and --codes y=... set the same code"),
    "two kinds of row": (
        "codes",
        ["--vary", "c2", "--interpolate", 5],
        "--vary and --interpolate are two kinds of row",
    ),
    "a row of none": ("codes", ["--interpolate", 0], "INT > 0"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_give_one_line_errors_before_restoring(capfd, monkeypatch, runs, tmp_path, mistake):
    run, flags, says = MISTAKES[mistake]
    before = snapshot(runs)
    monkeypatch.setattr(sample, "restore", lambda *_: pytest.fail("nothing needed to be restored"))
    monkeypatch.chdir(tmp_path)
    for out in ([], ["--out", tmp_path / "drawn.npz"]):
        code, shown, errors = command(capfd, "sample", runs / run, *flags, *out)
        assert (code, shown) == (2, "")
        assert len(errors.strip().splitlines()) == 1 and errors.startswith("gan-jax: ")
        assert says in errors
    assert snapshot(runs) == before and not list(tmp_path.iterdir())
