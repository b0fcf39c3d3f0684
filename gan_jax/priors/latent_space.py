"""The type of a latent space between the prior and the samples."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from jaxtyping import Array, Float


class LatentSpace(NamedTuple):
    """Latents w between the prior and the samples, in which samples are truncated, edited and inverted.

    Its functions take the bound networks, and use their `.ema`.
    """

    name: str
    """The name of w among the latents: `[B, W]`, or `[B, L, W]` if every layer has its own."""
    encode: Callable[[Mapping[str, Any], Mapping[str, Array]], Float[Array, "B *L W"]]
    """`encode(nets, latents) -> w`, equal in all layers."""
    decode: Callable[..., Any]
    """As `Game.sample`, of latents that hold w."""
    mean: Callable[[Mapping[str, Any]], Float[Array, "..."]]
    """`mean(nets)`: the mean of w, `[W]` or one number."""
