import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from gan_jax.pictures import curves, grid, save_png, to_uint8


def record(i):
    return {
        "step": i, "images": 64 * i, "seconds": 0.1 * i, "phase": "warm-up", "fid": 30.0,
        "d/loss": 1.0 / i, "g/loss": i + 1.0, "d/score_real": 1.0, "d/score_fake": -1.0, "d/accuracy_real": 0.9,
        "d/accuracy_fake": 0.8, "d/grad_norm": 2.0, "g/grad_norm": 0.0, "d/update_norm": 1e-3,
    }  # fmt: skip


def test_bytes_of_images():
    images = np.array([-1, -1 + 2 / 255, 0, 1, -2, 3, np.nan, np.inf, -np.inf], np.float32)
    np.testing.assert_array_equal(to_uint8(images), [0, 1, 128, 255, 0, 255, 0, 255, 0])
    everything = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(everything.astype(np.float32) / 127.5 - 1), everything)


@pytest.mark.parametrize(("pad", "scale"), [(0, 1), (1, 1), (2, 3)])
def test_a_grid_puts_images_row_by_row(pad, scale):
    images = np.random.default_rng(0).integers(0, 200, (5, 4, 3, 1), np.uint8)
    picture = grid(images, rows=2, cols=3, pad=pad, scale=scale)
    high, wide = scale * 4 + pad, scale * 3 + pad
    assert picture.shape == (2 * high + pad, 3 * wide + pad, 1)
    rest = picture.copy()
    for index, image in enumerate(images):
        top, left = pad + index // 3 * high, pad + index % 3 * wide
        cell = picture[top : top + scale * 4, left : left + scale * 3]
        np.testing.assert_array_equal(cell, np.kron(image, np.ones((scale, scale, 1), np.uint8)))
        rest[top : top + scale * 4, left : left + scale * 3] = 255
    assert (rest == 255).all()


def test_a_grid_that_is_too_small():
    with pytest.raises(ValueError, match="5 images do not fit into 2 x 2 cells"):
        grid(np.zeros((5, 2, 2, 3), np.uint8), 2, 2)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_png_holds_the_picture_and_equal_pictures_are_equal_bytes(tmp_path, channels):
    picture = np.random.default_rng(0).integers(0, 256, (7, 5, channels), np.uint8)
    paths = [tmp_path / "new" / "folder" / "a.png", tmp_path / "b.png"]
    for path in paths:
        save_png(path, picture)
    np.testing.assert_array_equal(np.array(Image.open(paths[0])).reshape(picture.shape), picture)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert [path.name for path in paths[0].parent.iterdir()] == ["a.png"]


def test_a_reader_never_sees_half_a_picture(tmp_path):
    path = tmp_path / "a.png"
    pictures = [np.full((200, 200, 3), value, np.uint8) for value in (0, 255)]
    save_png(path, pictures[0])
    done = threading.Event()

    def write():
        for i in range(100):
            save_png(path, pictures[i % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        with Image.open(path) as image:
            assert np.ptp(np.array(image)) == 0
    writer.join()


def test_a_place_that_cannot_be_written_keeps_what_is_there(tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(OSError, match=r"a\.png"):
        save_png(tmp_path / "a.png", np.zeros((2, 2, 1), np.uint8))
    assert (tmp_path / "a.png").is_dir()


def axes_of(monkeypatch, tmp_path, records):
    """What `curves` draws: by the title of the panel, by the label of the line, its points."""
    drawn = {}
    from gan_jax import pictures

    class Canvas(pictures.FigureCanvasAgg):
        def __init__(self, figure):
            super().__init__(figure)
            for axes in figure.axes:
                drawn[axes.get_title(loc="left")] = {
                    line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines
                }

    monkeypatch.setattr(pictures, "FigureCanvasAgg", Canvas)
    curves(tmp_path / "curves.png", records)
    assert Image.open(tmp_path / "curves.png").size[0] > 500
    return drawn


def test_curves_are_drawn_in_panels_by_the_names_of_metrics(tmp_path, monkeypatch):
    drawn = axes_of(monkeypatch, tmp_path, [record(1), record(2)])
    assert {title: sorted(lines) for title, lines in drawn.items()} == {
        "losses": ["d loss", "g loss"],
        "scores (logits)": ["d score fake", "d score real"],
        "accuracy of the scores' signs": ["d accuracy fake", "d accuracy real"],
        "norms of gradients and updates": ["d grad norm", "d update norm", "g grad norm"],
    }
    assert drawn["losses"]["g loss"] == ([64, 128], [2.0, 3.0])


def test_any_names_of_players_and_gaps_in_the_data(tmp_path, monkeypatch):
    records = [
        {"images": 1, "d+g/loss": 1.0, "phase 2/critic/loss": 5.0},
        {"images": 2, "d+g/loss": float("nan")},
        {"images": 3, "d+g/loss": None},
        {"images": 4, "d+g/loss": 4.0},
    ]
    drawn = axes_of(monkeypatch, tmp_path, records)
    assert drawn == {"losses": {"d+g loss": ([1, 4], [1.0, 4.0]), "phase 2/critic loss": ([1], [5.0])}}


def test_equal_records_give_equal_pictures_and_no_global_figure(tmp_path):
    for name in ("a.png", "b.png"):
        curves(tmp_path / name, [record(i) for i in range(1, 9)])
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    program = "import sys, gan_jax.pictures; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_run_that_has_recorded_nothing_yet(tmp_path, monkeypatch):
    assert axes_of(monkeypatch, tmp_path, []) == {"nothing recorded yet": {}}
    assert axes_of(monkeypatch, tmp_path, [{"images": 5, "fid": 3.0}]) == {"nothing recorded yet": {}}
