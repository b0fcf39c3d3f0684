import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image, ImageSequence

from gan_jax.data.modality import to_uint8
from gan_jax.viz import curves as curves_module
from gan_jax.viz.animation import save_animation
from gan_jax.viz.curves import save_curves
from gan_jax.viz.images import contact_sheet, film_strips, image_grid, save_png, strips_in_turn


def record(i):
    return {
        "step": i, "images": 64 * i, "seconds": 0.1 * i, "phase": "warm-up", "fid": 30.0,
        "d/loss": 1.0 / i, "g/loss": i + 1.0, "d/score_real": 1.0, "d/score_fake": -1.0, "d/accuracy_real": 0.9,
        "d/accuracy_fake": 0.8, "d/grad_norm": 2.0, "g/grad_norm": 0.0,
    }  # fmt: skip


def test_images_are_rounded_and_clipped_to_uint8():
    images = np.array([-1, -1 + 2 / 255, 0, 1, -2, 3, np.nan, np.inf, -np.inf], np.float32)
    np.testing.assert_array_equal(to_uint8(images), [0, 1, 128, 255, 0, 255, 0, 255, 0])
    everything = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(everything.astype(np.float32) / 127.5 - 1), everything)


@pytest.mark.parametrize(("pad", "scale"), [(0, 1), (1, 1), (2, 3)])
def test_grid_places_images_row_by_row(pad, scale):
    images = np.random.default_rng(0).integers(0, 200, (5, 4, 3, 1), np.uint8)
    picture = image_grid(images, rows=2, cols=3, pad=pad, scale=scale)
    high, wide = scale * 4 + pad, scale * 3 + pad
    assert picture.shape == (2 * high + pad, 3 * wide + pad, 1)
    rest = picture.copy()
    for index, image in enumerate(images):
        top, left = pad + index // 3 * high, pad + index % 3 * wide
        cell = picture[top : top + scale * 4, left : left + scale * 3]
        np.testing.assert_array_equal(cell, np.kron(image, np.ones((scale, scale, 1), np.uint8)))
        rest[top : top + scale * 4, left : left + scale * 3] = 255
    assert (rest == 255).all()


@pytest.mark.parametrize(("frames", "shown"), [(1, [0]), (4, [0, 1, 2, 3]), (8, [*range(8)]), (15, [*range(0, 15, 2)])])
def test_film_strips_are_rows_of_evenly_spaced_frames(frames, shown):
    videos = np.random.default_rng(0).integers(0, 256, (3, frames, 4, 5, 1), np.uint8)
    picture = film_strips(videos, pad=1)
    assert picture.shape == (3 * 5 + 1, len(shown) * 6 + 1, 1)
    for row, video in enumerate(videos):
        for col, frame in enumerate(shown):
            cell = picture[1 + row * 5 : 5 + row * 5, 1 + col * 6 : 6 + col * 6]
            np.testing.assert_array_equal(cell, video[frame])


def test_strips_of_an_example_follow_each_other_and_shorter_videos_end_in_white():
    short, long = (np.random.default_rng(0).integers(0, 200, (2, t, 4, 5, 1), np.uint8) for t in (2, 3))
    picture = strips_in_turn([short, long], pad=0).reshape(4, 4, 3, 5).swapaxes(1, 2)  # strips of frames
    np.testing.assert_array_equal(picture[1::2], long[..., 0])
    np.testing.assert_array_equal(picture[0::2, :2], short[..., 0])
    assert (picture[0::2, 2] == 255).all()


def test_too_small_grid_is_refused():
    with pytest.raises(ValueError, match="5 images do not fit into 2 x 2 cells"):
        image_grid(np.zeros((5, 2, 2, 3), np.uint8), 2, 2)


@pytest.mark.parametrize("channels", [1, 3])
def test_png_round_trips_and_is_deterministic(tmp_path, channels):
    picture = np.random.default_rng(0).integers(0, 256, (7, 5, channels), np.uint8)
    paths = [tmp_path / "new" / "folder" / "a.png", tmp_path / "b.png"]
    for path in paths:
        save_png(path, picture)
    np.testing.assert_array_equal(np.array(Image.open(paths[0])).reshape(picture.shape), picture)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert [path.name for path in paths[0].parent.iterdir()] == ["a.png"]


def test_pictures_are_replaced_atomically(tmp_path):
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


def test_failed_save_keeps_the_existing_file(tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(OSError, match=r"a\.png"):
        save_png(tmp_path / "a.png", np.zeros((2, 2, 1), np.uint8))
    assert (tmp_path / "a.png").is_dir()


def axes_of(monkeypatch, tmp_path, records):
    """Returns what `save_curves` draws: the points by panel title and line label."""
    drawn = {}

    class Canvas(curves_module.FigureCanvasAgg):
        def __init__(self, figure):
            super().__init__(figure)
            for axes in figure.axes:
                drawn[axes.get_title(loc="left")] = {
                    line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines
                }

    monkeypatch.setattr(curves_module, "FigureCanvasAgg", Canvas)
    save_curves(tmp_path / "curves.png", records)
    assert Image.open(tmp_path / "curves.png").size[0] > 500
    return drawn


def test_curves_are_grouped_into_panels_by_metric_name(tmp_path, monkeypatch):
    drawn = axes_of(monkeypatch, tmp_path, [record(1), record(2)])
    assert {title: sorted(lines) for title, lines in drawn.items()} == {
        "losses": ["d loss", "g loss"],
        "scores (logits)": ["d score fake", "d score real"],
        "accuracy of discriminators": ["d accuracy fake", "d accuracy real"],
        "norms of gradients": ["d grad norm", "g grad norm"],
        "fid": ["fid"],
    }
    assert drawn["losses"]["g loss"] == ([64, 128], [2.0, 3.0])


def test_curves_accept_any_player_names_and_missing_values(tmp_path, monkeypatch):
    records = [
        {"images": 1, "d+g/loss": 1.0, "phase 2/critic/loss": 5.0},
        {"images": 2, "d+g/loss": float("nan")},
        {"images": 3, "d+g/loss": None},
        {"images": 4, "d+g/loss": 4.0},
    ]
    drawn = axes_of(monkeypatch, tmp_path, records)
    assert drawn == {"losses": {"d+g loss": ([1, 4], [1.0, 4.0]), "phase 2/critic loss": ([1], [5.0])}}


@pytest.mark.medium
def test_curves_are_deterministic_and_do_not_import_pyplot(tmp_path):
    for name in ("a.png", "b.png"):
        save_curves(tmp_path / name, [record(i) for i in range(1, 9)])
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    program = "import sys, gan_jax.viz.curves; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_curves_of_an_empty_run(tmp_path, monkeypatch):
    assert axes_of(monkeypatch, tmp_path, []) == {"nothing recorded yet": {}}
    assert axes_of(monkeypatch, tmp_path, [{"step": 1, "images": 5, "seconds": 3.0}]) == {"nothing recorded yet": {}}


def played(path, mode):
    """Returns the frames of a GIF as arrays, and their durations."""
    with Image.open(path) as gif:
        assert gif.info["loop"] == 0
        frames = [(np.array(frame.convert(mode)), frame.info["duration"]) for frame in ImageSequence.Iterator(gif)]
    return tuple(zip(*frames, strict=True))


def test_animation_of_gray_pictures_is_lossless(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (3, 20, 30, 1), np.uint8)
    save_animation(tmp_path / "new" / "a.gif", list(frames), 50)
    shown, durations = played(tmp_path / "new" / "a.gif", "L")
    np.testing.assert_array_equal(shown, frames[..., 0])
    assert durations == (50, 50, 2050)
    save_animation(tmp_path / "looped.gif", list(frames), 50, hold=0)
    assert played(tmp_path / "looped.gif", "L")[1] == (50, 50, 50)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.gif"]


def test_animation_colors_stay_close_and_white_stays_white(tmp_path):
    rng = np.random.default_rng(0)
    few = rng.integers(0, 256, (250, 3), np.uint8)[rng.integers(0, 250, (4, 40, 40))]
    save_animation(tmp_path / "few.gif", list(few))
    error = np.abs(np.array(played(tmp_path / "few.gif", "RGB")[0]).astype(int) - few)
    assert error.max() <= 8 and error.mean() < 0.05  # Pillow picks a close color, not the nearest

    # White, a gradient, orange in one frame, and 1,600 rare colors of soft edges.
    many = np.full((2, 60, 100, 3), 255, np.uint8)
    many[:, 30:, :, :2] -= np.linspace(0, 100, 3000).astype(np.uint8).reshape(30, 100, 1)
    many[1, 10:20, :20] = (213, 94, 0)
    many[:, :8] = rng.integers(60, 256, (8, 100, 1), np.uint8) + rng.integers(-30, 1, (2, 8, 100, 3))
    save_animation(tmp_path / "many.gif", list(many))
    error = np.abs(np.array(played(tmp_path / "many.gif", "RGB")[0]).astype(int) - many)
    assert error[:, 20:30].max() == 0 and error[1, 10:20, :20].max() <= 1
    assert error[:, 30:].mean() < 2 and error[:, :8].mean() < 6


def test_animation_of_files_equals_animation_of_arrays(tmp_path):
    gray = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1), np.uint8)
    for i, picture in enumerate(gray):
        save_png(tmp_path / "samples" / f"{i}.png", picture)
    save_animation(tmp_path / "a.gif", sorted((tmp_path / "samples").glob("*.png")), 200)
    save_animation(tmp_path / "b.gif", list(gray), 200)
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()


def test_constant_parts_of_an_animation_do_not_flicker(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (5, 30, 60, 3), np.uint8)
    frames[:, :, :30] = frames[0, :, :30]
    save_animation(tmp_path / "a.gif", list(frames))
    shown, _ = played(tmp_path / "a.gif", "RGB")
    assert all((frame[:, :30] == shown[0][:, :30]).all() for frame in shown)


def test_animation_is_deterministic(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (2, 30, 30, 3), np.uint8)
    for name in ("a.gif", "b.gif"):
        save_animation(tmp_path / name, list(frames))
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()


def test_smaller_frames_are_padded_with_white_and_no_frames_refused(tmp_path):
    pair = [np.zeros((4, 5, 1), np.uint8), np.zeros((2, 3, 1), np.uint8)]
    save_animation(tmp_path / "a.gif", pair)
    shown, _ = played(tmp_path / "a.gif", "L")
    assert shown[0].shape == shown[1].shape == (4, 5)
    assert (shown[1] == 255).sum() == 4 * 5 - 2 * 3 and not shown[1][:2, :3].any()
    assert contact_sheet(pair, ["a", "b"], 2).shape[-1] == 3
    with pytest.raises(ValueError, match="no pictures"):
        save_animation(tmp_path / "a.gif", [])


def test_contact_sheet_places_pictures_under_captions():
    pictures = [np.full((30, 40, channels), 50 * i, np.uint8) for i, channels in enumerate((1, 3, 1, 1, 1))]
    captions = ["first", "second, with a caption wider than the picture", "", "gamma = 10", "last"]
    sheet = contact_sheet(pictures, captions, cols=2)
    width, height = (sheet.shape[1] - 12) // 2, (sheet.shape[0] - 12) // 3
    assert width > 40 + 12 and height == 20 + 30 + 12
    for i, picture in enumerate(pictures):
        top, left = 12 + i // 2 * height, 12 + i % 2 * width
        assert (sheet[top + 20 : top + 50, left : left + 40] == picture).all()
        line = sheet[top : top + 20, left : left + width - 12]
        assert (line.min() < 128) == bool(captions[i])
        assert (sheet[top : top + 20, left + width - 12 : left + width] == 255).all()  # a gap between captions
    assert (contact_sheet(pictures, captions, 2) == sheet).all()
    with pytest.raises(ValueError):
        contact_sheet(pictures, captions[:3], 2)
