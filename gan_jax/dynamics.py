"""How the joint gradient field of a turn becomes what the optimisers are given.

A turn's moves define a vector field: at joint parameters `p` (one entry per mover), `field(p)` is every mover's
gradient of its own loss. Plain play follows the field; other dynamics look at it in more than one place.
"""

from collections.abc import Callable
from typing import Any

from jaxtyping import Array, PyTree

Joint = dict[str, PyTree[Array]]
"""One tree of parameters, or of gradients, per mover of the turn."""

Field = Callable[[Joint], tuple[Joint, Any]]
"""`field(params) -> (gradients, what else the losses reported there)`."""

Dynamics = Callable[[Field, Joint], tuple[Joint, Any]]
"""`dynamics(field, params) -> (gradients for the optimisers, what the losses reported)`."""


def gradient_play(field: Field, params: Joint) -> tuple[Joint, Any]:
    """Every mover follows its own gradient, all from the same point (Goodfellow et al. 2014, Algorithm 1)."""
    return field(params)
