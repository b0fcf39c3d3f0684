"""Layers that several networks share, as `flax.linen` modules; may import `engine` and `errors` only."""

from gan_jax.nets.layers.dropout import Dropout
from gan_jax.nets.layers.normalization import BatchNorm, ConditionalBatchNorm

__all__ = ["BatchNorm", "ConditionalBatchNorm", "Dropout"]
