import shutil

import numpy as np
import pytest
from PIL import Image

from gan_jax.data import open_source
from gan_jax.data.source import describe_source, in_chunks
from gan_jax.errors import BadInput

RNG = np.random.default_rng(0)


@pytest.fixture
def photos(tmp_path):
    """Writes photographs of different sizes with their low resolution, and returns the folder and the pixels."""
    pixels = {}
    for name, (height, width) in {"a": (16, 24), "b": (12, 20), "c": (8, 8)}.items():
        pixels[name] = RNG.integers(0, 256, (height, width, 3), np.uint8)
        for side, image in (("hr", pixels[name]), ("lr", pixels[name][::2, ::2])):
            path = tmp_path / "photos" / "train" / side / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)
    return tmp_path / "photos", pixels


def test_tiles_cover_every_pixel_and_stay_inside(photos):
    folder, pixels = photos
    source = open_source(str(folder / "train/hr"), tile=8)
    assert (source.size, source.shape) == (2 * 3 + 2 * 3 + 1, (8, 8, 3))
    tiles = np.concatenate([chunk["x"] for chunk in in_chunks(source)])
    a, b = tiles[:6], tiles[6:12]
    np.testing.assert_array_equal(a.reshape(2, 3, 8, 8, 3).swapaxes(1, 2).reshape(16, 24, 3), pixels["a"])
    corners = [(0, 0), (0, 8), (0, 12), (4, 0), (4, 8), (4, 12)]  # the last are moved inwards
    np.testing.assert_array_equal(b, np.stack([pixels["b"][r : r + 8, c : c + 8] for r, c in corners]))
    np.testing.assert_array_equal(tiles[12], pixels["c"])
    assert "tiles of 3 images" in describe_source(source)


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "archive"])
def test_tiles_of_pairs_show_the_same_places(photos, packed):
    folder, _ = photos
    source = open_source(
        shutil.make_archive(str(folder), "tar", folder) if packed else str(folder), pair="auto", tile=8
    )
    examples = source.read(np.arange(source.size))
    assert source.size == 13 and examples["a"].shape == (13, 4, 4, 3)
    np.testing.assert_array_equal(examples["a"], examples["x"][:, ::2, ::2])
    with pytest.raises(BadInput, match="multiple"):
        open_source(str(folder), pair="auto", tile=7)


def test_tiles_are_cut_again_when_the_folder_changes(photos):
    folder = photos[0] / "train/hr"
    before = open_source(str(folder), tile=8).size
    (folder / "a.png").unlink()
    assert open_source(str(folder), tile=8).size == before - 6


def test_tiles_keep_the_class_of_their_image(photos):
    source = open_source(str(photos[0] / "train"), tile=4)
    by_class = np.bincount(source.read(np.arange(source.size))["y"])
    assert source.classes == ("hr", "lr") and by_class.tolist() == [24 + 15 + 4, 6 + 6 + 1]


def test_both_sides_of_unpaired_data_are_cut(photos):
    folder = str(photos[0] / "train/hr")
    source = open_source(folder, to=folder, tile=8)
    assert [part.size for part in source.parts] == [13, 13] and source.spec["b"].shape == (8, 8, 3)


def test_photographs_smaller_than_a_tile_are_told_in_one_line(photos):
    with pytest.raises(
        BadInput, match=r"2 images that are smaller than --tile 16, first b.png 20x12, c.png 8x8: leave"
    ):
        open_source(str(photos[0] / "train/hr"), tile=16)
    with pytest.raises(BadInput, match="leave one of them out"):
        open_source(str(photos[0] / "train/hr"), size=8, tile=8)


def test_folder_inside_an_archive_is_opened_by_its_path(photos):
    folder, _ = photos
    archive = shutil.make_archive(str(folder), "zip", folder.parent, folder.name)
    for inside in ("train/hr", "photos/train/hr"):
        source = open_source(f"{archive}/{inside}", tile=8)
        assert (source.name, source.size) == (f"photos_{inside.rsplit('/')[-1]}", 13)
    with pytest.raises(BadInput, match="has no folder test, but photos"):
        open_source(f"{archive}/test")
