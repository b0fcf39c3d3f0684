"""The type of a penalty: a term for each side, a weight, and players that hold its state."""

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
    """Returns 0: the term of a side without a penalty."""
    return 0.0


class Penalty(NamedTuple):
    """A term added to the adversarial loss of each side.

    A term is a function `(nets, batch, x_fake, keys, step)` of the players' bound networks ("g", "d" and those of
    `memory`), the turn's real batch, the generated examples, one key per example, and the step. It returns a value per
    example or per score; its mean times `weight` is added. It calls `nets["d"].stateless(x)`, so batch statistics are
    not updated; this is the discriminator as the game's loss sees it, with augmentation, dropout and labels.
    """

    d: Callable = nothing
    """Added to the discriminator's loss."""
    g: Callable = nothing
    """Added to the generator's loss."""
    weight: Weight = 1.0
    memory: Mapping[str, Player] = MappingProxyType({})
    """Players that hold the penalty's state, with networks `(s_real [B], s_fake [B]) -> [B]`; they must be among the
    movers of the discriminator's move, or the state is not kept."""
    name: str = ""
    """The word for the penalty on the command line, without the weight; "" if it has none."""


def total(penalties: Sequence[Penalty]) -> Penalty:
    """Sums penalties into one, whose terms are weighted scalars, 0 where there are no penalties.

    Every penalty gets its own keys.

    Raises:
        BadInput: two penalties have a player of the same name.
    """
    memory: dict[str, Player] = {}
    for penalty in penalties:
        if twice := sorted(memory.keys() & penalty.memory.keys()):
            raise BadInput(f"two penalties have a player {twice[0]!r}: rename one of them")
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
    """Evaluates a weight at a step."""
    return weight(step) if callable(weight) else weight
