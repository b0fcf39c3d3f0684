"""How a game is given penalties: a value with a term for each side, a weight, and what it remembers."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from gan_jax.engine.game import Batch, Keys, Player
from gan_jax.engine.keys import split
from gan_jax.engine.networks import BoundNet, WrappedNet
from gan_jax.errors import BadInput

Nets = Mapping[str, BoundNet | WrappedNet]
Weight = float | Float[Array, ""] | Callable[[Int[Array, ""]], Any]
"""A number, traced or not, or a schedule: the weight as a function of the step."""


def nothing(nets: Nets, batch: Batch, x_fake: Float[Array, "B ..."], keys: Keys, step: Int[Array, ""]) -> float:
    """The term of a side that a penalty adds nothing to."""
    return 0.0


class Penalty(NamedTuple):
    """A term beside the adversarial loss of each side.

    A term is a function `(nets, batch, x_fake, keys, step)` of the players' bound networks ("g", "d" and those of
    `memory`), this turn's real batch, what the generator made, one key per example, and the step. It is per example
    or per score, and its mean times `weight` counts. It looks at `nets["d"].stateless`, so batch norm records nothing
    of it.
    """

    d: Callable = nothing
    """Added to the discriminator's loss."""
    g: Callable = nothing
    """Added to the generator's loss."""
    weight: Weight = 1.0
    memory: Mapping[str, Player] = MappingProxyType({})
    """Players that hold what it remembers, in networks `(s_real [B], s_fake [B]) -> [B]`; the discriminator's move
    takes them along, or they would forget."""


def total(penalties: Sequence[Penalty]) -> Penalty:
    """The sum of penalties, as one `Penalty`: its terms are scalars, weighted already, and 0 of no penalties.

    Every penalty draws from keys of its own.

    Raises:
        BadInput: two of them remember under the same name.
    """
    memory: dict[str, Player] = {}
    for penalty in penalties:
        if twice := sorted(memory.keys() & penalty.memory.keys()):
            raise BadInput(f"two penalties remember as {twice[0]!r}: give one of the players another name")
        memory |= penalty.memory
    weights = [penalty.weight for penalty in penalties]

    def added(terms: list[Callable]) -> Callable:
        def side(nets: Nets, batch: Batch, x_fake: Float[Array, "B ..."], keys: Keys, step: Int[Array, ""]) -> Any:
            values = (
                weight_at(weight, step) * jnp.mean(term(nets, batch, x_fake, own, step))
                for term, weight, own in zip(terms, weights, split(keys, len(terms)), strict=True)
            )
            return sum(values, jnp.zeros(()))

        return side

    return Penalty(added([p.d for p in penalties]), added([p.g for p in penalties]), memory=memory)


def weight_at(weight: Weight, step: Int[Array, ""]) -> Any:
    """The weight in a step."""
    return weight(step) if callable(weight) else weight
