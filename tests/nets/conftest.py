"""Fixtures of tests of networks."""

import pytest

from gan_jax.nets.layers import convolution


@pytest.fixture(scope="module")
def library_convolutions():
    """Uses the library's convolutions, which compile faster; `layers/test_convolution.py` shows that both are equal."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convolution, "products_are_faster", lambda: False)
        yield
