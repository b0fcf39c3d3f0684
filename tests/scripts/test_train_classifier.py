"""The script that trains classifiers: its file takes images of the size that was given, and its sha256 is printed."""

from hashlib import sha256

import numpy as np
import pytest

from gan_jax.errors import BadInput
from gan_jax.metrics.features.classifier_file import load
from gan_jax.metrics.features.network import extract
from scripts import load_script


@pytest.fixture(scope="module")
def script():
    return load_script("train_classifier")


@pytest.mark.slow
def test_dark_and_bright_images_are_told_apart_at_the_given_size(script, tmp_path, capsys):
    labels = np.arange(768) % 2
    images = (np.random.default_rng(0).integers(0, 100, (768, 6, 6)) + 120 * labels[:, None, None]).astype(np.uint8)
    data = {"x_train": images, "y_train": labels, "x_test": images[:40], "y_test": labels[:40]}
    np.savez(tmp_path / "light.npz", **data)
    out = tmp_path / "net.npz"
    script.main(out, str(tmp_path / "light.npz"), image_size=8)
    shown = capsys.readouterr().out
    assert "accuracy on 768 images: 1.0000\naccuracy on 40 images: 1.0000" in shown
    assert f"sha256 {sha256(out.read_bytes()).hexdigest()}, " in shown
    net = load(out)
    assert (net.name, net.classes) == ("light", ("0", "1"))
    bright = np.stack([np.full((8, 8, 1), level, np.uint8) for level in (50, 170)])
    np.testing.assert_array_equal(extract(net, bright).probabilities.argmax(1), [0, 1])


def test_data_without_labels_is_refused(script, tmp_path):
    images = np.zeros((4, 6, 6), np.uint8)
    np.savez(tmp_path / "bare.npz", x_train=images, x_test=images)
    with pytest.raises(BadInput, match="has no labeled images"):
        script.main(tmp_path / "net.npz", str(tmp_path / "bare.npz"))
