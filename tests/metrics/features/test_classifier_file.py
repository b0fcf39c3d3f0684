"""Files of classifiers: what is saved is loaded back, for images of any shape, and damage is told in one line."""

import io
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.errors import BadInput
from gan_jax.metrics.features.classifier import Classifier
from gan_jax.metrics.features.classifier_file import load, save
from gan_jax.metrics.features.mnist import SHA256, mnist
from gan_jax.metrics.features.network import extract


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def classifier(*shape):
    """Draws the parameters of a network of three classes, which is faster than to initialize it."""
    random, image = np.random.default_rng(0), jax.ShapeDtypeStruct((1, *shape), jnp.float32)
    leaves = jax.eval_shape(Classifier(3).init, jax.random.key(0), image)["params"]
    return jax.tree.map(lambda leaf: jnp.asarray(0.1 * random.normal(size=leaf.shape), jnp.float32), leaves)


@pytest.fixture(scope="module")
def small():
    return classifier(28, 28, 1)


def test_saved_network_is_loaded_back(small, tmp_path):
    path = tmp_path / "shirts.npz"
    sha256 = save(path, "shirts", ("a", "bag", "coat"), small)
    net = load(path, sha256)
    assert (net.name, net.sha256, net.classes) == ("shirts", sha256, ("a", "bag", "coat"))
    jax.tree.map(np.testing.assert_array_equal, net.params, small)
    assert extract(net, noise(2, 28, 28, 1)).probabilities.shape == (2, 3)


def test_saved_bytes_do_not_depend_on_the_date(small, tmp_path, monkeypatch):
    sha256 = save(tmp_path / "a.npz", "shirts", ("a", "bag", "coat"), small)
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert save(tmp_path / "b.npz", "shirts", ("a", "bag", "coat"), small) == sha256
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("shape", [(32, 32, 1), (16, 12, 3)])
def test_shape_of_the_images_is_read_from_the_file(shape, tmp_path):
    path, params = tmp_path / "shirts.npz", classifier(*shape)
    save(path, "shirts", ("a", "bag", "coat"), params, shape)
    net = load(path)
    logits = jax.jit(Classifier(3).apply)({"params": params}, jnp.asarray(noise(2, *shape) / np.float32(255)))
    np.testing.assert_allclose(extract(net, noise(2, *shape)).probabilities, jax.nn.softmax(logits), rtol=1e-4)
    assert net.resize == f"none, for {shape[0]} x {shape[1]}; pixels divided by 255"
    wrong = (shape[0] + 4, *shape[1:])
    message = rf"^this classifier takes images \[N, {shape[0]}, .*\], not \[N, {wrong[0]}, .*\]: resize them"
    with pytest.raises(BadInput, match=message):
        extract(net, noise(2, *wrong))


def test_files_of_the_first_version_are_of_28_pixels_and_written_as_before(tmp_path):
    """The pinned file of the package is one: it states no shape."""
    net = mnist()
    assert save(tmp_path / "mnist.npz", net.name, net.classes, net.params) == SHA256


def test_networks_of_one_shape_share_their_compiled_program(small, tmp_path):
    save(tmp_path / "shirts.npz", "shirts", ("a", "bag", "coat"), small)
    assert load(tmp_path / "shirts.npz").apply is mnist().apply


@pytest.mark.parametrize("shape", [(28, 28), (0, 28, 1), (28, 28, 1, 1)])
def test_damaged_shapes_give_one_line_errors(small, shape, tmp_path):
    save(tmp_path / "good.npz", "shirts", ("a", "bag", "coat"), small)
    np.savez(tmp_path / "bad.npz", shape=np.array(shape), **np.load(tmp_path / "good.npz"))
    with pytest.raises(BadInput, match=r"bad\.npz holds no feature weights: .*$"):
        load(tmp_path / "bad.npz")


def test_weights_of_another_shape_than_stated_are_refused(small, tmp_path):
    save(tmp_path / "bad.npz", "shirts", ("a", "bag", "coat"), small, (32, 32, 1))
    with pytest.raises(BadInput, match="holds another network"):
        load(tmp_path / "bad.npz")


class Trap:
    """Fails the test when unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


def archive(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "holds no feature weights"),
        (b"PK\x03\x04 cut short", "holds no feature weights"),
        (pickle.dumps(Trap()), "holds no feature weights"),
        (archive(name=np.array([Trap()], object), classes=np.array(["a"])), "holds no feature weights"),
        (archive(name=np.array("x"), out=np.zeros((3, 4))), "holds no feature weights"),
        (archive(name=np.array("x"), classes=np.array(["a", "b"]), out=np.zeros((3, 4))), "holds another network"),
    ],
)
def test_files_without_a_network_give_one_line_errors(data, words, tmp_path):
    path = tmp_path / "file.npz"
    path.write_bytes(data)
    with pytest.raises(BadInput, match=rf"^\S*file\.npz {words}: .*$"):
        load(path)


def test_flipped_bit_is_found_without_a_digest(small, tmp_path):
    path = tmp_path / "shirts.npz"
    save(path, "shirts", ("a", "bag", "coat"), small)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadInput, match="holds no feature weights"):
        load(path)
    with pytest.raises(BadInput, match="cannot be read"):
        load(tmp_path / "missing.npz")
