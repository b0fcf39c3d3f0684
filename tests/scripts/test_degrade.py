"""The script that degrades images: what each kind makes of images of several sizes, the same in every run."""

import sys

import numpy as np
import pytest
from PIL import Image

from scripts import load_script

SIZES = {"a": (42, 50), "b": (36, 45)}


@pytest.fixture
def degrade(tmp_path, monkeypatch):
    """Writes gray photographs of two sizes; returns a function that degrades them and reads both folders."""
    (tmp_path / "photos").mkdir()
    random = np.random.default_rng(0)
    for name, size in SIZES.items():
        pixels = 120 + random.integers(-20, 20, size)
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "photos" / f"{name}.png")
    module = load_script("degrade")

    def run(*argv, out="out"):
        monkeypatch.setattr(
            sys, "argv", ["degrade.py", argv[0], str(tmp_path / "photos"), *argv[1:], "--out", str(tmp_path / out)]
        )
        module.main()
        return [
            {file.stem: np.asarray(Image.open(file)) for file in sorted((tmp_path / out / side).iterdir())}
            for side in ("inputs", "targets")
        ]

    return run


def test_noise_has_its_deviation_differs_between_images_and_is_the_same_in_every_run(degrade):
    inputs, targets = degrade("noise", "--sigma", "10")
    noise = {name: inputs[name].astype(float) - targets[name] for name in SIZES}
    assert {name: image.shape for name, image in inputs.items()} == SIZES
    assert all(np.std(each) == pytest.approx(10, rel=0.06) for each in noise.values())
    assert abs(np.corrcoef(noise["a"][:36, :45].ravel(), noise["b"].ravel())[0, 1]) < 0.1
    again, other = degrade("noise", "--sigma", "10", out="again")[0], degrade("noise", "--seed", "1", out="other")[0]
    assert all((again[name] == inputs[name]).all() and (other[name] != inputs[name]).any() for name in SIZES)


def test_low_resolution_is_pillows_of_targets_cropped_to_multiples(degrade, tmp_path):
    inputs, targets = degrade("low", "--scale", "4")
    assert {name: image.shape for name, image in targets.items()} == {"a": (40, 48), "b": (36, 44)}
    for name, target in targets.items():
        small = Image.fromarray(target).resize((target.shape[1] // 4, target.shape[0] // 4), Image.Resampling.BICUBIC)
        np.testing.assert_allclose(inputs[name].astype(int), np.asarray(small), atol=1)
        large = Image.fromarray(inputs[name]).resize(target.shape[::-1], Image.Resampling.BICUBIC)
        assert (np.asarray(Image.open(tmp_path / "out" / "bicubic" / f"{name}.png")) == np.asarray(large)).all()


def test_holes_are_transparent_and_hide_the_target(degrade):
    inputs, targets = degrade("hole", "--hole", "center", "--image-size", "24")
    for name, target in targets.items():
        hole = np.pad(np.ones((12, 12), bool), 6)
        assert target.shape == (24, 24) and ((inputs[name][..., 1] == 0) == hole).all()
        assert (inputs[name][..., 0][~hole] == target[~hole]).all() and len(np.unique(inputs[name][..., 0][hole])) == 1
