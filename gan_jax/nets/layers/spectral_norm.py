"""Spectral normalization."""

from typing import Any

from flax import linen as nn


class SpectralNorm(nn.SpectralNorm):
    """A layer whose kernels are divided by their largest singular value: `SpectralNorm(nn.Dense(64))(x)`.

    `flax.linen.SpectralNorm`, which keeps one vector for every kernel (as a matrix `[in, out]`) in `batch_stats` and
    improves it by one power iteration a call. Training, that is where `batch_stats` is mutable, the vectors are kept.

    Miyato et al. 2018, "Spectral normalization for generative adversarial networks", Algorithm 1.
    """

    def __call__(self, *args: Any) -> Any:
        """What the layer makes of `args` with normalized kernels."""
        return super().__call__(*args, update_stats=self.is_mutable_collection("batch_stats"))
