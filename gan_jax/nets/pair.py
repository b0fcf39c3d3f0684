"""The networks of a model family: a generator and a discriminator that fit each other and the data."""

from typing import NamedTuple

from flax import linen as nn

from gan_jax.errors import BadInput


class Pair(NamedTuple):
    """A generator `g` and a discriminator `d`; of a pyramid, a tuple of each, coarse to fine."""

    g: nn.Module | tuple[nn.Module, ...]
    d: nn.Module | tuple[nn.Module, ...]


def unsupported(shape: tuple[int, ...], supported: str) -> BadInput:
    """Error for examples of `shape`, where a family supports `supported` ("square images of ...") only."""
    return BadInput(f"examples of {'x'.join(map(str, shape))} are not supported: give {supported}")
