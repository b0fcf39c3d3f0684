import numpy as np
import pytest

from gan_jax.data import from_arrays
from gan_jax.data.source import in_chunks
from gan_jax.errors import BadInput


def test_chunks_hold_every_example_once_in_order(noise):
    chunks = list(in_chunks(noise, chunk=3))
    everything = noise.read(np.arange(50))
    for name in ("x", "y"):
        np.testing.assert_array_equal(np.concatenate([chunk[name] for chunk in chunks]), everything[name])


def test_arrays_may_stay_on_disk(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(24, dtype=np.uint8).reshape(6, 2, 2, 1))
    source = from_arrays("mapped", np.load(tmp_path / "x.npy", mmap_mode="r"))
    x = source.read(np.array([5, 0]))["x"]
    assert type(x) is np.ndarray and x[:, 0, 0, 0].tolist() == [20, 0]


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        (np.zeros((3, 2, 2, 1), np.float32), None, "uint8"),
        (np.zeros((3, 2, 2), np.uint8), None, r"\[N, H, W, C\]"),
        (np.zeros((3, 2, 2, 1), np.uint8), np.zeros(2, np.int32), "one per example"),
        (np.zeros((3, 2, 2, 1), np.uint8), np.zeros(3), "integers"),
    ],
)
def test_arrays_of_wrong_shape_or_dtype_are_refused(x, y, says):
    with pytest.raises(BadInput, match=says):
        from_arrays("odd", x, y)
