"""Toy data: fixed bytes, the intended distributions, and points from files."""

import subprocess
import sys
from hashlib import sha256

import numpy as np
import pytest

from gan_jax.data import from_points, open_source, points_source
from gan_jax.data.sources import toy
from gan_jax.errors import BadInput

BYTES = {
    "ring": "0d9184c9fe9bdfeb",
    "grid": "c2064c3d74c1c513",
    "spiral": "06db8ba62a59c817",
    "moons": "fb4d4437b904c22f",
    "dirac": "946cc2661d32ad83",
}
"""The first digits of the sha256 of each world's points."""


def everything(source):
    return source.read(np.arange(source.size))


@pytest.mark.parametrize("name", toy.TOY_DATA)
def test_toy_data_has_fixed_bytes(name):
    source = open_source(name)
    x = everything(source)["x"]
    assert (source.name, source.size, source.shape) == (name, 100_000, x.shape[1:]) and x.dtype == np.float32
    assert sha256(x.tobytes()).hexdigest()[:16] == BYTES[name]
    np.testing.assert_array_equal(source.read(np.array([7, 0]))["x"], x[[7, 0]])


@pytest.mark.parametrize(("name", "count"), [("ring", 8), ("grid", 25)])
def test_modes_are_gaussians_of_equal_weight(name, count):
    modes, examples = toy.MODES[name](), everything(open_source(name))
    assert open_source(name).classes == tuple(map(str, range(count)))
    assert np.bincount(examples["y"]).tolist() == [100_000 // count] * count
    noise = (examples["x"] - modes.centers[examples["y"]]) / modes.std
    np.testing.assert_allclose(noise.mean(0), 0, atol=0.01)
    np.testing.assert_allclose(np.cov(noise.T), np.eye(2), atol=0.015)
    # Three standard deviations hold 1 - exp(-9/2) of a 2-d Gaussian.
    assert abs(np.mean(np.linalg.norm(noise, axis=1) <= 3) - (1 - np.exp(-4.5))) < 1e-3


def test_centers_match_the_papers():
    ring, grid = toy.ring_modes(), toy.grid_modes()
    np.testing.assert_allclose(ring.centers[:3], [[2, 0], [2**0.5, 2**0.5], [0, 2]], atol=1e-12)
    assert sorted(map(tuple, grid.centers)) == [(a, b) for a in (-4, -2, 0, 2, 4) for b in (-4, -2, 0, 2, 4)]
    assert (ring.std**2, grid.std**2) == pytest.approx((1e-4, 0.0025))


def test_spiral_has_two_turns_and_is_uniform_in_arc_length():
    x = everything(toy.spiral())["x"]
    radius, angle = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0]) / (2 * np.pi)
    away = (radius - angle + 0.5) % 1 - 0.5  # arms are 1 apart
    assert np.std(away[radius > 0.5]) < 0.06
    outer, inner = np.mean(radius > 1.5), np.mean((radius > 0.5) & (radius < 1))
    assert outer / inner == pytest.approx((4 - 2.25) / (1 - 0.25), rel=0.03)


def test_moons_are_two_interleaved_half_circles():
    x = everything(toy.moons())["x"]
    upper, lower = x[::2], x[1::2]
    for moon, center, side in ((upper, (-0.5, -0.25), 1), (lower, (0.5, 0.25), -1)):
        assert np.std(np.hypot(*(moon - center).T) - 1) < 0.06
        assert np.mean(side * (moon[:, 1] - center[1]) > 0) > 0.95
    np.testing.assert_allclose(x.mean(0), 0, atol=0.01)


def test_dirac_points_are_zero():
    assert everything(toy.dirac(5))["x"].tolist() == [[0.0]] * 5


def test_points_of_any_float_type_become_float32():
    for dtype in (np.float16, np.float32, np.float64):
        source = from_points("mine", np.arange(6, dtype=dtype).reshape(3, 2), np.array([2, 0, 1]), ("a", "b", "c"))
        examples = source.read(np.array([2, 0]))
        assert source.shape == (2,) and examples["x"].dtype == np.float32 and examples["y"].dtype == np.int32
        assert examples["x"].tolist() == [[4, 5], [0, 1]] and examples["y"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        (np.zeros(3), None, r"floats \[N, D\], not float64 \[3\]"),
        (np.zeros((3, 0)), None, r"not float64 \[3, 0\]"),
        (np.zeros((3, 2, 2, 1)), None, r"not float64 \[3, 2, 2, 1\]"),
        (np.zeros((3, 2), np.uint8), None, r"not uint8 \[3, 2\]"),
        (np.zeros((3, 2), complex), None, "complex128"),
        (np.array([[0.0, 1], [2, np.nan], [np.inf, 0]]), None, r"2 of 3 points are not finite in float32, first \[1\]"),
        (np.array([[1e300]]), None, "not finite in float32"),
        (np.zeros((3, 2)), np.zeros(2, int), "one per example"),
    ],
)
def test_other_arrays_than_points_are_refused(x, y, says):
    with pytest.raises(BadInput, match=rf"^mine: .*{says}"):
        from_points("mine", x, y)


def test_points_are_read_from_files(tmp_path, monkeypatch):
    x = np.random.default_rng(0).normal(size=(5, 3))
    np.save(tmp_path / "a.npy", x)
    np.savez(tmp_path / "b.npz", x=x, other=np.zeros(2))
    monkeypatch.chdir(tmp_path)
    for path in (str(tmp_path / "a.npy"), "b.npz"):
        np.testing.assert_array_equal(everything(open_source(path))["x"], x.astype(np.float32))


@pytest.mark.parametrize("save", [np.save, np.savez_compressed])
def test_damaged_files_give_one_line_errors(tmp_path, save):
    save(tmp_path / "whole", np.random.default_rng(0).normal(size=(50, 2)))
    (whole,) = tmp_path.iterdir()
    contents = whole.read_bytes()
    flipped = bytearray(contents)
    flipped[{".npy": 10, ".npz": len(contents) // 2}[whole.suffix]] ^= 16  # in the header, in the compressed data
    for damage in (
        b"",
        b"not an array\n",
        contents[:20],
        contents[: len(contents) // 2],
        contents[:-1],
        bytes(flipped),
    ):
        whole.write_bytes(damage)
        with pytest.raises(BadInput, match=rf"{whole.name} cannot be read as arrays") as error:
            points_source(whole)
        assert "\n" not in str(error.value)


def test_other_files_are_refused(tmp_path):
    np.save(tmp_path / "deep.npy", np.zeros((3, 2, 2, 1), np.uint16))
    np.save(tmp_path / "objects.npy", np.array([[{}, None]]), allow_pickle=True)
    np.savez(tmp_path / "named.npz", data=np.zeros((3, 2)))
    np.savez(tmp_path / "empty.npz")
    for name, says in [
        ("deep.npy", r"deep\.npy: points must be floats \[N, D\], not uint16 \[3, 2, 2, 1\]"),
        ("objects.npy", "allow_pickle"),
        ("named.npz", "no array x .* but data"),
        ("empty.npz", "but nothing"),
    ]:
        with pytest.raises(BadInput, match=says) as error:
            open_source(str(tmp_path / name))
        assert "\n" not in str(error.value)


def test_unknown_data_lists_the_choices(tmp_path):
    for name in (str(tmp_path / "absent"), "absent.npy"):
        with pytest.raises(BadInput, match=r"\.npy, \.npz.*mnist5k, ring, grid, spiral, moons, dirac"):
            open_source(name)
    with pytest.raises(BadInput, match="--data-dir is for TFDS"):
        open_source("ring", tmp_path)
    with pytest.raises(BadInput, match="ring has no images"):
        open_source("ring", size=8)


@pytest.mark.medium
def test_import_draws_no_data():
    script = """
import numpy as np
def refuse(*args): raise AssertionError("drawn at import")
np.random.RandomState = np.random.default_rng = refuse
import gan_jax.data
"""
    subprocess.run([sys.executable, "-c", script], check=True)
