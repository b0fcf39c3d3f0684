"""`gan-jax sample --inputs` of label maps: classes as the run's own data has them, names, and labels outside them."""

import shutil

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn
from PIL import Image

from gan_jax import init
from gan_jax.cli.translate import Inputs, translate
from gan_jax.data.modality import IMAGE, Leaf, label_map
from gan_jax.errors import BadInput
from gan_jax.games import paired
from gan_jax.losses.reconstruction import l1

CLASSES = 5


class Painter(nn.Module):
    """Paints class k of a one-hot label map in the gray k / 2 - 1, whatever its parameter."""

    @nn.compact
    def __call__(self, a, keys=None):
        self.param("unused", nn.initializers.zeros, (1,))
        return jnp.einsum("bhwk,k->bhw", a, np.arange(CLASSES, dtype=np.float32) / 2 - 1)[..., None]


@pytest.fixture(scope="module")
def painter():
    """Returns the game, its state and the spec of its data."""
    game = paired.regression(Painter(), optax.sgd(0.1), distance=l1)
    spec = {"a": Leaf((4, 4, CLASSES), label_map(CLASSES)), "x": Leaf((4, 4, 1), IMAGE)}
    return game, init(game, jax.random.key(0), {name: leaf.abstract(1, 2) for name, leaf in spec.items()}), spec


def draw(folder, **labels):
    """Writes label maps of one channel, those whose name begins with p with a palette."""
    folder.mkdir(parents=True)
    for name, array in labels.items():
        image = Image.fromarray(np.array(array, np.uint8))
        if name.startswith("p"):
            image.putpalette([200, 100, 50] * 256)
        image.save(folder / f"{name}.png")
    return folder


MAPS = {"a": [[0, 1, 2], [3, 4, 0]], "p": [[4, 4], [0, 3]]}


def painted(labels):
    return np.rint(np.array(labels) / 2 * 127.5)


@pytest.mark.parametrize("kind", ["folder", "folder in an archive"])
def test_every_class_is_painted_at_its_place_in_a_file_of_the_name_of_the_input(painter, tmp_path, kind):
    inputs = draw(tmp_path / "data" / "test" / "label", **MAPS)
    if kind != "folder":
        inputs = shutil.make_archive(str(tmp_path / "packed"), "gztar", tmp_path / "data") + "/test/label"
    translate(*painter, Inputs(str(inputs)), jax.random.key(0), tmp_path / "out")
    made = {file.stem: np.asarray(Image.open(file)) for file in (tmp_path / "out").iterdir()}
    assert made.keys() == MAPS.keys()
    for name, labels in MAPS.items():
        np.testing.assert_array_equal(made[name], painted(labels))


def test_arrays_hold_the_classes_and_a_picture_shows_them_in_colors(painter, tmp_path):
    inputs = draw(tmp_path / "label", a=MAPS["a"], b=[[2, 2, 2], [1, 1, 1]])
    for out in ("s.npz", "s.png"):
        translate(*painter, Inputs(str(inputs)), jax.random.key(0), tmp_path / out)
    arrays = np.load(tmp_path / "s.npz")
    np.testing.assert_array_equal(arrays["inputs"][0], MAPS["a"])
    np.testing.assert_array_equal(arrays["images"][0, ..., 0], painted(MAPS["a"]))
    picture = np.asarray(Image.open(tmp_path / "s.png"))
    assert len(np.unique(picture[2:4, 2:5].reshape(-1, 3), axis=0)) == CLASSES


def test_arrays_of_label_maps_are_translated(painter, tmp_path):
    np.savez(tmp_path / "label.npz", x=np.array([MAPS["a"]], np.uint8))
    translate(*painter, Inputs(str(tmp_path / "label.npz")), jax.random.key(0), tmp_path / "out")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out" / "0.png")), painted(MAPS["a"]))


@pytest.mark.parametrize("mistake", ["outside the classes", "color", "JPEG", "no such folder"])
def test_mistakes_are_one_line_and_write_nothing(painter, tmp_path, mistake):
    inputs = draw(tmp_path / "label", a=MAPS["a"], z=[[1, CLASSES if mistake == "outside the classes" else 1]])
    if mistake == "color":
        Image.open(inputs / "z.png").convert("RGB").save(inputs / "z.png")
    if mistake == "JPEG":
        Image.open(inputs / "z.png").save(inputs / "z.jpg")
        (inputs / "z.png").unlink()
    if mistake == "no such folder":
        inputs = shutil.make_archive(str(tmp_path / "packed"), "zip", inputs) + "/labels"
    with pytest.raises(BadInput) as error:
        translate(*painter, Inputs(str(inputs)), jax.random.key(0), tmp_path / "out")
    words = {
        "outside the classes": f"z has label 5, outside the {CLASSES} classes 0 to 4",
        "no such folder": "has no folder labels",
    }
    assert words.get(mistake, "z is no label map: give images of one channel") in str(error.value)
    assert "\n" not in str(error.value) and not (tmp_path / "out").exists()
