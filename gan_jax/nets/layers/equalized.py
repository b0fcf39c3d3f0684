"""The equalized learning rate."""

import math
from typing import Any

import jax
from flax import linen as nn
from jaxtyping import PyTree


class Equalized(nn.Module):
    """A layer whose kernel is scaled whenever it is used: `Equalized(nn.Dense(64, kernel_init=UNIT))(x)`.

        kernel * gain * rate / sqrt(inputs per output)      bias * rate

    Adam moves every stored weight by about the learning rate, whatever its size. Stored kernels of unit variance
    (`UNIT`) and scaled ones in their place give all layers the same relative speed; `rate` multiplies it, and the
    kernel has to be initialized with the deviation 1 / rate (`normal(1 / rate)`). A gain of sqrt(2) keeps the variance
    through a leaky ReLU, He's initialization.

    Karras et al. 2018, "Progressive growing of GANs for improved quality, stability, and variation", sec. 4.1
    (https://arxiv.org/abs/1710.10196).
    """

    layer: nn.Module
    gain: float = 1.0
    rate: float = 1.0

    @nn.compact
    def __call__(self, *args: Any) -> Any:
        """Applies the layer to `args` with scaled variables."""

        def scaled(params: PyTree) -> PyTree:
            return jax.tree_util.tree_map_with_path(lambda path, leaf: self._scale(path[-1].key, leaf) * leaf, params)

        if self.is_initializing():  # `map_variables(init=True)` would store the scaled kernel
            self.layer(*args)
        return nn.map_variables(lambda layer: layer(*args), "params", trans_in_fn=scaled)(self.layer)

    def _scale(self, name: str, leaf: jax.Array) -> float:
        return self.gain * self.rate / math.sqrt(math.prod(leaf.shape[:-1])) if name == "kernel" else self.rate


UNIT = nn.initializers.normal(1.0)
"""Initializer of the kernel of an `Equalized` layer."""
