import numpy as np
import pytest
from PIL import Image

from gan_jax.data import from_arrays


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Gives every test its own cache folder."""
    monkeypatch.setenv("GAN_JAX_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def noise():
    """Makes 50 labeled images of random bytes."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (50, 4, 6, 3), np.uint8), rng.integers(0, 9, 50)
    return from_arrays("noise", x, y, tuple("abcdefghi"))


@pytest.fixture
def draw(tmp_path):
    """Writes one-colored images: `draw({"train/cat/1.png": 7})` returns the folder."""

    def write(files, size=(6, 4), mode="RGB", folder="set"):
        for name, value in files.items():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((size[1], size[0], 3), value, np.uint8)).convert(mode).save(path)
        return tmp_path / folder

    return write
