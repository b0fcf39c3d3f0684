"""`gan-jax directions` and `gan-jax edit`: files, tables, and one-line errors before anything is restored."""

import shutil

import jax
import numpy as np
import pytest
from commands import command, snapshot
from PIL import Image

from gan_jax.cli import edit
from gan_jax.runs.run_dir import RunDir
from gan_jax.sampling import inversion
from gan_jax.sampling.directions import Direction, save_direction
from gan_jax.sampling.latents import draw_latents
from gan_jax.sampling.sampler import sampler
from gan_jax.training.restore import restore

Z = 4


@pytest.fixture(scope="module")
def run(shared_run, tmp_path_factory):
    """Copies a run, and saves a direction of it and one of another."""
    run = shutil.copytree(shared_run, tmp_path_factory.mktemp("runs") / "run")
    folder = RunDir(run)
    found = Direction("first", "sefa", "", folder.identity(), np.eye(Z, dtype=np.float32)[0])
    save_direction(folder.directions, found)
    save_direction(folder.directions, found._replace(name="foreign", run="other"))
    save_direction(folder.directions, found._replace(name="longer", vector=np.ones(Z + 1, np.float32)))
    return run


@pytest.fixture
def photos(tmp_path):
    """Writes images of the run's size and of others."""
    for name, size, mode in (("a", 28, "L"), ("large", 30, "L"), ("color", 28, "RGB")):
        Image.new(mode, (size, size), 40).save(tmp_path / f"{name}.png")
    return tmp_path


def numbers(shown):
    """Returns the rows of the printed table."""
    _, *lines = shown[shown.index("strength") :].splitlines()[:-1]
    return [list(map(float, line.split())) for line in lines]


@pytest.mark.slow
def test_directions_are_found_named_saved_and_used(capfd, run, tmp_path):
    argv = ["--method", "sefa", "pca", "boldness", "--count", 2, "--samples", 200]
    code, shown, errors = command(capfd, "directions", run, *argv)
    names = [line.split()[0] for line in shown.splitlines()]
    assert (code, errors) == (0, "") and names == [
        "sefa-1",
        "sefa-2",
        "pca-1",
        "pca-2",
        "boldness",
        str(run / "directions"),
    ]
    before = snapshot(run / "directions")
    command(capfd, "directions", run, *argv)
    assert snapshot(run / "directions") == before, "found again, to the bit"
    out = tmp_path / "b.png"
    code, shown, _ = command(capfd, "edit", run, "--direction", "boldness", "--strength", "-1:1:3", "--out", out)
    assert code == 0 and "boldness" in shown and shown.endswith(f"{out}\n")
    _, _, boldness = zip(*numbers(shown), strict=True)
    assert sorted(boldness) == list(boldness), "bolder along boldness"
    assert Image.open(out).size == (3 * 30 + 2, 2 * 30 + 2)
    copied = shutil.copy(run / "directions" / "boldness.npz", tmp_path / "mine.npz")
    assert command(capfd, "edit", run, "--direction", copied, "--out", out)[0] == 0


@pytest.mark.slow
def test_edits_are_samples_of_moved_latents(capfd, run, tmp_path):
    out = tmp_path / "e.npz"
    argv = ["--direction", "first", "--strength", "-1:1:3", "--n", 4, "--seed", 5, "--curve", tmp_path / "c.png"]
    code, shown, errors = command(capfd, "edit", run, *argv, "--out", out)
    assert (code, errors) == (0, "") and [row[0] for row in numbers(shown)] == [-1, 0, 1]
    arrays = dict(np.load(out))
    assert arrays["strengths"].tolist() == [-1, 0, 1] * 4 and Image.open(tmp_path / "c.png").size[0] > 100
    restored = restore(run)
    latents = draw_latents(restored.game, jax.random.key(5), 4)
    draw = sampler(restored.game)
    for i, strength in enumerate((-1, 0, 1)):
        images = 127.5 * (draw(restored.state, {"z": latents["z"].at[:, 0].add(strength)}) + 1)
        np.testing.assert_allclose(arrays["images"].reshape(4, 3, 28, 28, 1)[:, i], images, atol=0.51)
    assert command(capfd, "edit", run, *argv, "--truncation", 0, "--out", out)[0] == 0
    images = np.load(out)["images"].reshape(4, 3, 28, 28, 1)
    np.testing.assert_array_equal(images, images[:1].repeat(4, axis=0))


@pytest.mark.slow
def test_an_animation_goes_there_and_back(capfd, run, tmp_path):
    out = tmp_path / "e.gif"
    assert command(capfd, "edit", run, "--direction", "first", "--strength", "0:2:4", "--n", 4, "--out", out)[0] == 0
    frames = [np.asarray(frame.convert("L")) for frame in _frames(Image.open(out))]
    assert len(frames) == 6 and frames[0].shape == (62, 62)
    np.testing.assert_array_equal(frames[2], frames[4])


@pytest.mark.slow
def test_walks_are_written_as_animations_and_truncation_gives_one_image(capfd, run, tmp_path):
    out = tmp_path / "walk.gif"
    assert command(capfd, "sample", run, "--interpolate", 5, "--n", 2, "--out", out)[0] == 0
    assert len(list(_frames(Image.open(out)))) == 5
    assert command(capfd, "sample", run, "--truncation", 0, "--n", 3, "--out", tmp_path / "t.npz")[0] == 0
    images = np.load(tmp_path / "t.npz")["images"]
    assert len(images) == 3 and (images == images[:1]).all()


def _frames(gif):
    for i in range(gif.n_frames):
        gif.seek(i)
        yield gif.copy()


@pytest.mark.slow
def test_given_images_are_inverted_and_edited(capfd, run, photos, monkeypatch):
    monkeypatch.setattr(inversion, "CANDIDATES", 64)
    monkeypatch.setattr(inversion, "STEPS", 20)
    out = photos / "e.npz"
    argv = ["--direction", "first", "--strength", "-1:1:3"]
    code, shown, errors = command(capfd, "edit", run, *argv, "--inputs", photos / "a.png", "--out", out)
    assert code == 0 and shown.startswith("inverted  a  distance ") and "1 images" in errors
    arrays = dict(np.load(out))
    assert arrays["images"].shape == (3, 28, 28, 1) and (arrays["inputs"] == 40).all()
    np.testing.assert_allclose(arrays["images"][1].astype(int), arrays["inversions"][0], atol=1)
    assert (
        command(capfd, "edit", run, *argv, "--inputs", photos / "large.png", "--image-size", 28, "--out", out)[0] == 0
    )


MISTAKES = {
    "no direction": ([], "give one of --direction NAME and --mix"),
    "both": (["--direction", "first", "--mix", "fine"], "give one of --direction NAME and --mix"),
    "unknown direction": (["--direction", "bold"], "unknown direction 'bold': choose one of"),
    "another run": (["--direction", "foreign"], "is a direction of another run"),
    "words": (["--direction", "first", "--strength", "much"], "--strength much cannot be read: write -2:2"),
    "one strength": (["--direction", "first", "--strength", "2"], "--strength 2 cannot be read"),
    "no strengths": (["--direction", "first", "--strength", "0:1:1"], "--strength 0:1:1 cannot be read"),
    "infinite": (["--direction", "first", "--strength", "0:inf"], "--strength 0:inf cannot be read"),
    "layers": (["--direction", "first", "--layers", "0:2"], "one latent for all layers: leave --layers out"),
    "no layers": (["--direction", "first", "--layers", "2"], "--layers 2 cannot be read"),
    "mixing": (["--mix", "coarse"], "one latent for all layers: leave --mix out"),
    "part": (["--mix", "most"], "--mix cannot be 'most'; choose one of"),
    "attribute": (["--direction", "first", "--measure", "smile"], "unknown attribute 'smile': choose boldness"),
    "size": (["--direction", "first", "--inputs", "large.png"], "large is a gray image of 30x30; this run makes gray"),
    "color": (["--direction", "first", "--inputs", "color.png"], "color is a color image of 28x28; this run makes"),
    "truncated": (["--direction", "first", "--inputs", "a.png", "--truncation", 0.5], "leave them out, or --inputs"),
    "ending": (["--direction", "first", "--out", "e.jpg"], "choose .png, .npz or, for an edit, .gif"),
    "labels": (["--direction", "first", "--labels", 3], "this game has no labels"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_give_one_line_errors_before_restoring(capfd, monkeypatch, run, photos, mistake):
    flags, says = MISTAKES[mistake]
    before = snapshot(photos)
    monkeypatch.setattr(edit, "restore", lambda *_: pytest.fail("nothing needed to be restored"))
    monkeypatch.chdir(photos)
    code, shown, errors = command(capfd, "edit", run, *flags)
    assert (code, shown) == (2, "") and says in errors
    assert len([line for line in errors.splitlines() if line.startswith("gan-jax: ")]) == 1
    assert snapshot(photos) == before


@pytest.mark.slow
def test_a_direction_of_another_size_is_refused(capfd, run, tmp_path):
    code, _, errors = command(capfd, "edit", run, "--direction", "longer", "--out", tmp_path / "e.png")
    assert code == 2 and "is of another generator, with latents of 5 numbers, not 4" in errors


def test_unknown_methods_are_refused(capfd, run):
    code, _, errors = command(capfd, "directions", run, "--method", "bolder")
    assert code == 2 and "unknown attribute 'bolder': choose sefa, pca, boldness" in errors


@pytest.mark.slow
def test_inspect_draws_samples_and_where_the_discriminator_looks(capfd, run, tmp_path):
    out = tmp_path / "looks.png"
    assert command(capfd, "inspect", run, "--out", out) == (0, f"{out}\n", "")
    assert Image.open(out).size > (300, 60)
