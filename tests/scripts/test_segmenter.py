"""The segmenter: it learns a map of colors to classes, and its table scores images by name."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_jax.errors import BadInput
from scripts import load_script

segmenter = load_script("segmenter")
COLORS = np.array([[200, 40, 40], [40, 200, 40], [40, 40, 200]], np.uint8)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Draws label maps of three classes in two halves, and photographs of a color for every class."""
    folder, random = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    for split, n in (("train", 24), ("test", 6)):
        for side in ("photo", "label"):
            (folder / split / side).mkdir(parents=True)
        for i in range(n):
            label = np.full((20, 24), i % 3, np.uint8)
            label[:, random.integers(4, 20) :] = (i + 1) % 3
            noise = random.integers(-20, 20, (20, 24, 3))
            Image.fromarray(label).save(folder / split / "label" / f"{i}.png")
            Image.fromarray((COLORS[label] + noise).astype(np.uint8)).save(folder / split / "photo" / f"{i}.png")
    return folder


def table(capsys):
    """Returns the scores of the printed rows by name."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in capsys.readouterr().out.splitlines()[2:]]
    return {Path(name).name: tuple(map(float, scores)) for name, _, *scores in rows}


def write_weights(folder, classes):
    np.savez(folder / "s.npz", **{"Conv_0/bias": np.zeros(classes, np.float32), "mean colors": COLORS[:classes]})
    return folder / "s.npz"


@pytest.fixture
def reads_colors(monkeypatch):
    """Replaces the network by one that reads the class from the color."""
    monkeypatch.setattr(segmenter, "segment", lambda params, photos: photos.argmax(-1))


def test_images_are_scored_against_the_label_maps_of_their_names(pairs, tmp_path, reads_colors, capsys):
    """Photographs are perfect, those of other label maps are not."""
    labels, shifted = pairs / "test" / "label", tmp_path / "shifted"
    shifted.mkdir()
    for i in range(6):
        photo = Image.open(pairs / "test" / "photo" / f"{i}.png")
        photo.save(shifted / f"{(i + 1) % 6}.png")
    segmenter.score(write_weights(tmp_path, 3), labels, (pairs / "test" / "photo", shifted))
    found = table(capsys)
    assert list(found) == ["most frequent class", "mean color of every class", "photo", "shifted"]
    assert found["photo"] == found["mean color of every class"] == (1, 1, 1)
    maps = np.stack([np.asarray(Image.open(file)) for file in labels.iterdir()])
    share = np.bincount(maps.ravel()).max() / maps.size
    assert found["most frequent class"] == pytest.approx((share, 1 / 3, share / 3), abs=6e-4)
    assert found["shifted"][0] < 0.7


@pytest.mark.parametrize("mistake", ["another name", "more classes"])
def test_images_without_a_label_map_and_unknown_classes_are_refused(pairs, tmp_path, reads_colors, mistake):
    photos = pairs / ("train" if mistake == "another name" else "test") / "photo"
    weights = write_weights(tmp_path, 3 if mistake == "another name" else 2)
    says = "18 of 24 images" if mistake == "another name" else "label 2, outside the 2 classes"
    with pytest.raises(BadInput, match=says):
        segmenter.score(weights, pairs / "test" / "label", (photos,))


def test_mean_colors_are_those_of_the_photographs(pairs):
    source = segmenter.open_source(str(pairs), pair="photo,label")
    np.testing.assert_allclose(segmenter.mean_colors(source).astype(int), COLORS.astype(int), atol=1)


def test_data_without_label_maps_is_refused(pairs, tmp_path):
    with pytest.raises(BadInput, match="no label maps in label,photo: give --pair PHOTOS,LABELS"):
        segmenter.train(str(pairs), tmp_path / "s.npz", "label,photo")


@pytest.mark.slow
def test_colors_are_learned_and_the_file_scores_as_the_network_did(pairs, tmp_path, capsys):
    segmenter.train(str(pairs), tmp_path / "s.npz", epochs=8)
    train, test, sha256 = capsys.readouterr().out.splitlines()
    found = float(test.split("pixel_accuracy ")[1][:5])
    assert train.startswith("train: ") and test.startswith("test: ") and len(sha256.split()[1]) == 64
    assert found > 0.9
    segmenter.score(tmp_path / "s.npz", pairs / "test" / "label", (pairs / "test" / "photo",))
    assert table(capsys)["photo"][0] == pytest.approx(found, abs=2e-3)
