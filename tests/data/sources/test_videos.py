"""Videos in files: clips of several frames, folders of frames, arrays; windows; what is left out; one-line errors."""

import shutil

import numpy as np
import pytest
from PIL import Image

from gan_jax.data import from_videos, open_source
from gan_jax.data.modality import VIDEO
from gan_jax.data.source import describe_source
from gan_jax.data.sources.windows import count_windows
from gan_jax.errors import BadInput

RANDOM = np.random.default_rng(0)


def clip(frames=6, channels=(), size=(4, 5)):
    """Makes random frames."""
    return RANDOM.integers(0, 256, (frames, *size, *channels), np.uint8)


def save(path, frames):
    """Writes frames as one file, without loss but for the 256 colors of a GIF."""
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *others = map(Image.fromarray, frames)
    first.save(path, save_all=True, append_images=others, lossless=True)


def save_frames(folder, frames, start=7):
    """Writes frames as the files 7.png, 8.png, ..., 10.png, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, frame in enumerate(frames, start):
        Image.fromarray(frame).save(folder / f"{i}.png")


def read(source):
    return source.read(np.arange(source.size))


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.tiff"])
def test_files_of_several_frames_are_clips(tmp_path, name):
    frames = clip(6, (3,), (4, 5))
    save(tmp_path / "set" / name, frames)
    source = open_source(f"video=3:{tmp_path}/set")
    assert source.spec["x"].modality is VIDEO and source.shape == (3, 4, 5, 3)
    np.testing.assert_array_equal(read(source)["x"].reshape(frames.shape), frames)


def test_folders_of_frames_are_clips_in_natural_order(tmp_path):
    frames = {"b": clip(6), "a": clip(9)}
    for name, each in frames.items():
        save_frames(tmp_path / "set" / name, each)
    source = open_source(f"video=4:{tmp_path}/set")
    np.testing.assert_array_equal(
        read(source)["x"][..., 0], np.stack([frames["a"][:4], frames["a"][4:8], frames["b"][:4]])
    )
    assert describe_source(source) == (
        "set: 3 gray videos of 4 frames of 5x4, no labels; "
        "windows of 4 frames of 2 clips, without 3 frames at the ends of clips"
    )


@pytest.mark.parametrize("packed", ["", "zip", "gztar"])
def test_folders_of_clips_are_splits_and_classes(tmp_path, packed):
    for split, number in (("train", 3), ("test", 1)):
        for name in ("run", "walk"):
            for i in range(number):
                save(tmp_path / "set" / split / name / f"{i}.png", clip(5))
            save_frames(tmp_path / "set" / split / name / "frames", clip(2))
    (tmp_path / "set" / "notes.txt").write_text("notes")
    path = shutil.make_archive(str(tmp_path / "set"), packed, tmp_path / "set") if packed else str(tmp_path / "set")
    source = open_source(f"video=5:{path}")
    assert (source.size, source.classes, source.split) == (6, ("run", "walk"), "train")
    assert read(source)["y"].tolist() == [0, 0, 0, 1, 1, 1]
    about = "split train of test, train; windows of 5 frames of 6 clips, without 2 clips of fewer frames; left out 1: "
    assert source.report == about + "1 not images (.txt)"
    assert open_source(f"video=5:{path}", split="test").size == 2
    if packed == "zip":
        assert open_source(f"video=2:{path}/test/walk").size == 3


def test_16_frames_are_the_default_and_frames_are_resized(tmp_path):
    save(tmp_path / "set" / "a.png", clip(33, (3,), (8, 8)))
    save(tmp_path / "set" / "b.png", clip(16, (3,), (6, 9)))
    source = open_source(f"video:{tmp_path}/set", size=4)
    assert source.size == 3 and source.shape == (16, 4, 4, 3)
    with pytest.raises(BadInput, match=r"b\.png is 9x6, a\.png 8x8: resize all to one size with --image-size"):
        open_source(f"video:{tmp_path}/set")


def test_clips_are_cut_again_when_the_folder_changes(tmp_path):
    save_frames(tmp_path / "set" / "a", clip(4))
    assert open_source(f"video=4:{tmp_path}/set").size == 1
    save_frames(tmp_path / "set" / "b", clip(4))
    assert open_source(f"video=4:{tmp_path}/set").size == 2
    assert open_source(f"video=2:{tmp_path}/set").size == 4


def test_arrays_are_cut_with_their_labels(tmp_path):
    video = RANDOM.integers(0, 256, (3, 9, 4, 5, 3), np.uint8)
    for name, labels in (("y", [2, 0, 1]), ("labels", [2, 0, 1])):
        np.savez(tmp_path / "a.npz", video=video, **{name: labels})
        source = open_source(f"video=4:{tmp_path}/a.npz")
        assert read(source)["y"].tolist() == [2, 2, 0, 0, 1, 1] and source.classes == ("0", "1", "2")
        np.testing.assert_array_equal(read(source)["x"], video[:, :8].reshape(6, 4, 4, 5, 3))
        assert source.report == "windows of 4 frames of 3 clips, without 3 frames at the ends of clips"
    np.savez(tmp_path / "a.npz", video_train=video, video_test=video[:1])
    test = open_source(f"video=9:{tmp_path}/a.npz", split="test")
    assert test.size == 1 and test.report.startswith("split test of train, test; windows of 9 frames of 1 clip")
    assert "y" not in test.spec


def test_windows_are_counted():
    assert count_windows([4, 9, 3], 4, "x") == (
        [1, 2, 0],
        "windows of 4 frames of 2 clips, without 1 clip of fewer frames and 1 frame at the ends of clips",
    )
    assert count_windows([8], 4, "x") == ([2], "windows of 4 frames of 1 clip")
    for frames in (0, 10):
        with pytest.raises(BadInput, match=f"x has no clip of {frames} frames, the longest has 9: .* video=9:x"):
            count_windows([4, 9], frames, "x")


def test_videos_of_other_types_are_refused():
    for wrong in (np.zeros((2, 3, 4, 5), np.uint8), np.zeros((2, 3, 4, 5, 1), np.float32)):
        with pytest.raises(BadInput, match=r"videos must be uint8 \[N, T, H, W, C\]"):
            from_videos("wrong", wrong)


def still(folder):
    save_frames(folder, clip(1))


def still_beside_clips(folder):
    save(folder / "walk" / "a.gif", clip(4))
    save_frames(folder / "walk", clip(1))


def corrupt(folder):
    """Damages the last frame, which is in no window."""
    save(folder / "a.gif", clip(7, (3,), (20, 20)))
    whole = (folder / "a.gif").read_bytes()
    (folder / "a.gif").write_bytes(whole[:-5])


def no_image(folder):
    folder.mkdir()
    (folder / "a.gif").write_bytes(b"no GIF")


def film(folder):
    folder.mkdir()
    (folder / "a.mp4").touch()


def two_sizes(folder):
    save(folder / "a.gif", clip(4))
    save(folder / "b.gif", clip(4, size=(6, 6)))


def pages_of_two_sizes(folder):
    folder.mkdir()
    pages = [Image.fromarray(clip(1, size=size)[0]) for size in ((4, 4), (4, 4), (5, 6))]
    pages[0].save(folder / "a.tiff", save_all=True, append_images=pages[1:])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (still, r"set/7\.png is a still image where videos are: remove it, or move the frames"),
        (still_beside_clips, r"set/walk/7\.png is a still image where videos are"),
        (corrupt, r"set/a\.gif cannot be read as an image \(.*\): repair or remove it"),
        (no_image, r"set/a\.gif cannot be read as an image"),
        (film, r"set has no videos \(left out 1: 1 not images \(\.mp4\)\): give GIF, WebP or PNG"),
        (lambda folder: save(folder / "a.gif", clip(2)), "set has no clip of 3 frames, the longest has 2: .*video=2:"),
        (two_sizes, r"set/b\.gif is 6x6, a\.gif 5x4: resize all to one size with --image-size"),
        (pages_of_two_sizes, r"set/a\.tiff has a frame of 6x5, the others 4x4: resize all"),
        (lambda folder: folder.write_text("x"), "set is neither a folder nor an archive: give one with videos"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_mistakes_in_files_are_told_in_one_line(tmp_path, make, message):
    make(tmp_path / "set")
    with pytest.raises(BadInput, match=rf"^[^\n]*{message}[^\n]*$"):
        open_source(f"video=3:{tmp_path}/set")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"video": np.zeros((2, 16, 4, 4), np.uint8)},
            r"a\.npz holds video as uint8 \[2, 16, 4, 4\]: save it as uint8",
        ),
        ({"video": np.zeros((2, 16, 4, 4, 1))}, r"holds video as float64 \[2, 16, 4, 4, 1\]"),
        ({"video": np.zeros((0, 16, 4, 4, 1), np.uint8)}, r"holds video as uint8 \[0, 16, 4, 4, 1\]"),
        ({"video": np.zeros((2, 5, 4, 4, 1), np.uint8)}, "no clip of 16 frames, the longest has 5"),
        (
            {"x": np.zeros((2, 16, 4, 4, 1), np.uint8)},
            r"holds no array video \[N, T, H, W, C\], but x: save the videos",
        ),
        ({"video": np.zeros((2, 16, 4, 4, 1), np.uint8), "y": np.zeros(3, int)}, "labels must be integers .2."),
        ({"video": np.zeros((2, 16, 4, 4, 1), np.uint8), "y": np.array([0, -1])}, "has negative labels"),
    ],
)
def test_mistakes_in_arrays_are_told_in_one_line(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(BadInput, match=rf"^[^\n]*{message}[^\n]*$"):
        open_source(f"video:{tmp_path}/a.npz")


def test_flags_of_images_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", video=np.zeros((1, 16, 4, 4, 1), np.uint8))
    name = f"video:{tmp_path}/a.npz"
    for flags, message in (
        ({"tile": 8}, "--tile 8 is for files and TFDS data sets, not for video:"),
        ({"pair": "a,b"}, "--pair a,b is for files"),
        ({"size": 8}, "holds videos of one size: leave --image-size out"),
        ({"data_dir": tmp_path}, "--data-dir is for TFDS data sets, not for video:"),
    ):
        with pytest.raises(BadInput, match=message):
            open_source(name, **flags)
