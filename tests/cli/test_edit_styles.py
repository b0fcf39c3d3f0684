"""`gan-jax edit` and `sample` of a run with a style for every layer."""

import numpy as np
import pytest
import tiny_styled
from commands import command
from PIL import Image

from gan_jax.cli.main import main

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "styled"
    for argv in (
        ["train", tiny_styled.__file__, "--run-dir", str(run)],
        ["directions", str(run), "--method", "sefa", "pca", "--count", "2", "--samples", "100"],
    ):
        with pytest.raises(SystemExit) as done:
            main(argv)
        assert not done.value.code
    return run


@pytest.fixture
def images(capfd, run, tmp_path):
    """Returns `images(command, *flags)`, the images that it writes."""

    def draw(name, *flags):
        code, _, errors = command(capfd, name, run, *flags, "--out", tmp_path / "drawn.npz")
        assert code == 0, errors
        return np.load(tmp_path / "drawn.npz")["images"].astype(float)

    return draw


def test_edits_of_some_layers_are_others_than_those_of_all(images):
    flags = "--direction", "sefa-1", "--strength", "-3:3:3", "--n", 2
    of_all, first, last = (images("edit", *flags, *rest) for rest in ([], ["--layers", "0:1"], ["--layers", "2:3"]))
    before = images("sample", "--n", 2)
    for each in (of_all, first, last):
        np.testing.assert_allclose(each[1::3], before, atol=1)
    assert np.abs(of_all[0] - first[0]).max() > 1 < np.abs(first[0] - last[0]).max()


def test_layers_beyond_the_last_are_refused(capfd, run, tmp_path):
    argv = ["--direction", "pca-2", "--layers", "2:4", "--out", tmp_path / "e.png"]
    code, _, errors = command(capfd, "edit", run, *argv)
    assert code == 2 and "--layers 2:4 are not those of this run: choose from 0:3" in errors


def test_mixed_sheets_have_the_sources_in_the_first_row_and_column(capfd, images, run, tmp_path):
    sheet = images("edit", "--mix", "fine", "--n", 3).reshape(4, 4, 28, 28)
    plain = images("sample", "--n", 6)[..., 0]
    np.testing.assert_allclose(sheet[1:, 0], plain[::2], atol=1)
    np.testing.assert_allclose(sheet[0, 1:], plain[1::2], atol=1)
    assert (sheet[0, 0] == 255).all()
    assert command(capfd, "edit", run, "--mix", "coarse", "--n", 3, "--out", tmp_path / "s.png")[0] == 0
    assert Image.open(tmp_path / "s.png").size == (122, 122)


def test_samples_are_truncated_and_walked_in_styles(images):
    none = images("sample", "--truncation", 0, "--n", 3)
    assert (none == none[:1]).all()
    np.testing.assert_allclose(images("sample", "--truncation", 1, "--n", 3), images("sample", "--n", 3), atol=1)
    rows = images("sample", "--interpolate", 4, "--n", 1)
    np.testing.assert_allclose(rows[[0, -1]], images("sample", "--n", 2), atol=1)
