"""`gan-jax sample --inputs` of images with holes: transparent pixels are what training sees as a hole."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn
from PIL import Image

from gan_jax import init
from gan_jax.cli.translate import Inputs, translate
from gan_jax.data import derived, from_arrays
from gan_jax.data.modality import IMAGE, MASKED, Leaf, to_uint8
from gan_jax.data.source import read_batch
from gan_jax.errors import BadInput
from gan_jax.games import paired
from gan_jax.losses.reconstruction import squared_error

RANDOM = np.random.default_rng(0)


class Inverted(nn.Module):
    """Shows the negative of what it sees in the hole, and what it sees elsewhere, whatever its parameter."""

    @nn.compact
    def __call__(self, a, keys=None):
        self.param("unused", nn.initializers.zeros, (1,))
        return jnp.where(a[..., -1:] > 0, -a[..., :-1], a[..., :-1])


def opened(channels):
    """Returns the game, its state and the spec of its data."""
    game = paired.regression(Inverted(), optax.sgd(0.1), distance=squared_error)
    spec = {"a": Leaf((4, 4, channels + 1), MASKED), "x": Leaf((4, 4, channels), IMAGE)}
    return game, init(game, jax.random.key(0), {name: leaf.abstract(1, 2) for name, leaf in spec.items()}), spec


def sample(game, inputs, out):
    translate(*game, Inputs(str(inputs)), jax.random.key(0), out)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_a_transparent_hole_is_what_training_sees_as_a_hole(tmp_path, mode):
    """The mean color of the rest in the hole, and the mask; the color that the file hides does not matter."""
    channels = len(mode) - 1
    pixels = RANDOM.integers(0, 256, (1, 8, 12, channels)).astype(np.uint8)
    source = derived.hole(from_arrays("photo", pixels))
    a = np.asarray(read_batch(source, np.array([0]))["a"])[0]
    alpha = np.where(a[..., -1] > 0, RANDOM.integers(0, 255, a.shape[:2]), 255).astype(np.uint8)  # partly transparent
    (tmp_path / "in").mkdir()
    Image.fromarray(np.dstack([pixels[0], alpha]), mode).save(tmp_path / "in" / "photo.png")
    sample(opened(channels), tmp_path / "in", tmp_path / "out")
    found = np.asarray(Image.open(tmp_path / "out" / "photo.png")).reshape(8, 12, channels)
    expected = to_uint8(np.where(a[..., -1:] > 0, -a[..., :-1], a[..., :-1]))
    np.testing.assert_array_equal(found[a[..., -1] == 0], pixels[0][a[..., -1] == 0])
    np.testing.assert_allclose(found.astype(int), expected, atol=1)


def test_files_of_several_sizes_are_filled_under_their_names_and_arrays_have_the_mask_last(tmp_path):
    (tmp_path / "in").mkdir()
    for name, size in (("a", (6, 5)), ("b", (9, 4))):
        image = np.full((*size, 4), 100, np.uint8)
        image[..., 3] = 255
        image[1:3, 2:4, 3] = 0
        Image.fromarray(image).save(tmp_path / "in" / f"{name}.png")
    game = opened(3)
    sample(game, tmp_path / "in", tmp_path / "out")
    made = {file.stem: np.asarray(Image.open(file)) for file in (tmp_path / "out").iterdir()}
    assert {name: image.shape for name, image in made.items()} == {"a": (6, 5, 3), "b": (9, 4, 3)}
    assert all(
        (image == 155).all(-1).sum() == 4 and (image == 100).all(-1).sum() == image[..., 0].size - 4
        for image in made.values()
    )
    (tmp_path / "in" / "b.png").unlink()
    sample(game, tmp_path / "in", tmp_path / "s.npz")
    inputs = np.load(tmp_path / "s.npz")["inputs"]
    assert inputs.shape == (1, 6, 5, 4) and (inputs[..., :3] == 100).all()
    assert (inputs[..., 3] == 255).sum() == 4 and (inputs[..., 3] == 0).sum() == 26


@pytest.mark.parametrize(
    ("alpha", "words"),
    [
        (None, "b has no hole: make a part of it transparent"),
        (255, "b has no hole"),
        (0, "b is transparent everywhere"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(tmp_path, alpha, words):
    (tmp_path / "in").mkdir()
    good = np.full((4, 4, 4), 255, np.uint8)
    good[0, 0, 3] = 0
    bad = np.full((4, 4, 3), 9, np.uint8) if alpha is None else np.full((4, 4, 4), alpha, np.uint8)
    for name, image in (("a", good), ("b", bad)):
        Image.fromarray(image).save(tmp_path / "in" / f"{name}.png")
    with pytest.raises(BadInput) as error:
        sample(opened(3), tmp_path / "in", tmp_path / "out")
    assert words in str(error.value) and "\n" not in str(error.value) and not (tmp_path / "out").exists()
