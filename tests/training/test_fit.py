"""Data that does not fit the game is refused before compiling or writing: one line, exit code 2, no run folder."""

import numpy as np
import pytest
import tiny_conditional
from PIL import Image

from gan_jax.cli.main import main


def drawn(folder, classes, size=28, mode="L"):
    """Writes a folder with two images per class, or a flat folder if there are no classes."""
    for name in classes or ("",):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(2):
            Image.fromarray(np.full((size, size), 9 * i, np.uint8)).convert(mode).save(folder / name / f"{i}.png")
    return folder


TEN = "abcdefghij"

MISFITS = {
    "no labels": ({"classes": ""}, "images has no labels, but this game needs 10: give --data mnist5k"),
    "fewer classes": ({"classes": "abc"}, "images has 3 classes, but this game needs 10"),
    "more classes": ({"classes": TEN + "k"}, "images has 11 classes, but this game needs 10"),
    "three channels": ({"classes": TEN, "mode": "RGB"}, "shape (28, 28, 3), but this game makes (28, 28, 1)"),
    "larger images": ({"classes": TEN, "size": 32}, "shape (32, 32, 1), but this game makes (28, 28, 1)"),
    "points": ("ring", "ring has 8 classes, but this game needs 10"),
    "points without labels": ("moons", "moons has no labels, but this game needs 10"),
}


def command(capfd, data, folder):
    with pytest.raises(SystemExit) as done:
        main(["train", tiny_conditional.__file__, "--data", str(data), "--run-dir", str(folder)])
    out, errors = capfd.readouterr()
    return done.value.code or 0, out, errors


@pytest.mark.parametrize("misfit", MISFITS)
def test_unfitting_data_is_refused_before_the_run_folder_exists(capfd, monkeypatch, tmp_path, misfit):
    about, says = MISFITS[misfit]
    data = about if isinstance(about, str) else drawn(tmp_path / "images", **about)
    monkeypatch.setenv("GAN_JAX_CACHE", str(tmp_path / "cache"))
    code, out, errors = command(capfd, data, tmp_path / "run")
    assert (code, out) == (2, "")
    assert len(errors.splitlines()) == 1 and errors.startswith("gan-jax: ") and says in errors
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_fitting_data_is_trained_on(capfd, tmp_path):
    data = drawn(tmp_path / "images", TEN)
    assert command(capfd, data, tmp_path / "run")[0] == 0
    assert (tmp_path / "run" / "manifest.json").exists()
