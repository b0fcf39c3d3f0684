"""Spectral normalization."""

from typing import Any

from flax import linen as nn


class SpectralNorm(nn.SpectralNorm):
    """A layer whose kernels are divided by their largest singular value: `SpectralNorm(nn.Dense(64))(x)`.

    `flax.linen.SpectralNorm` keeps one vector per kernel (as a matrix `[in, out]`) in `batch_stats`. Each call runs one
    power iteration; in training (`batch_stats` is mutable) the new vectors are stored.

    Miyato et al. 2018, "Spectral normalization for generative adversarial networks", Algorithm 1
    (https://arxiv.org/abs/1802.05957).
    """

    def __call__(self, *args: Any) -> Any:
        """Applies the layer to `args` with normalized kernels."""
        return super().__call__(*args, update_stats=self.is_mutable_collection("batch_stats"))
