"""Layers that several families share, as `flax.linen` modules; may import `engine` and everything below it."""

from gan_jax.nets.layers.dropout import Dropout
from gan_jax.nets.layers.normalization import BatchNorm, ConditionalBatchNorm, InstanceNorm

__all__ = ["BatchNorm", "ConditionalBatchNorm", "Dropout", "InstanceNorm"]
