"""The type of a penalty: a term for each side, a weight, and players that hold its state."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from gan_jax.engine.game import Batch, Keys, Player
from gan_jax.engine.keys import split
from gan_jax.engine.networks import BoundNet, WrappedNet
from gan_jax.errors import BadInput
from gan_jax.penalties.gradient import Examples

Nets = Mapping[str, BoundNet | WrappedNet | Callable[..., Any]]
"""Bound networks of players, and frozen networks."""

Weight = float | Float[Array, ""] | Callable[[Int[Array, ""]], Any]
"""A number, traced or not, or a schedule: the weight as a function of the step."""


def nothing(*args: Any) -> float:
    """Returns 0: the term of a side without a penalty."""
    return 0.0


class Penalty(NamedTuple):
    """Terms added to the adversarial losses: of the discriminator's examples, of its scores, and of the generator.

    A term `d` or `g` is a function `(nets, batch, x_fake, keys, step)` of the players' bound networks ("g", "d" and
    those of `memory`), the turn's real batch, the generated examples, one key per example, and the step. It returns a
    value per example or per score; its mean times `weight` is added. It calls `nets["d"].stateless(x)`, so batch
    statistics are not updated; this is the discriminator as the game's loss sees it, with augmentation, dropout and
    labels.
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
    scores: Callable = nothing
    """`scores(nets, s_real, s_fake, step)`: a value per score, which `total` adds to the discriminator's term. It gets
    the scores that the loss has, so it costs no further call of the discriminator."""


def total(penalties: Sequence[Penalty]) -> Penalty:
    """Sums penalties into one, whose terms are weighted scalars, 0 where there are no penalties.

    Every penalty gets its own keys. The sum's `d` takes one more argument, the pair `scores` of the loss; without it,
    terms of scores cost two further calls of the discriminator.

    Raises:
        BadInput: two penalties have a player of the same name.
    """
    memory: dict[str, Player] = {}
    for penalty in penalties:
        if twice := sorted(memory.keys() & penalty.memory.keys()):
            raise BadInput(f"two penalties have a player {twice[0]!r}: rename one of them")
        memory |= penalty.memory

    def added(side: str, nets: Nets, batch: Batch, x_fake: Examples, keys: Keys, step: Int[Array, ""]) -> Any:
        values = (
            weight_at(penalty.weight, step) * jnp.mean(getattr(penalty, side)(nets, batch, x_fake, own, step))
            for penalty, own in zip(penalties, split(keys, len(penalties)), strict=True)
        )
        return sum(values, jnp.zeros(()))

    def d(nets: Nets, batch: Batch, x_fake: Examples, keys: Keys, step: Int[Array, ""], scores: Any = None) -> Any:
        of_scores = [penalty for penalty in penalties if penalty.scores is not nothing]
        if of_scores and scores is None:
            scores = nets["d"].stateless(batch["x"]), nets["d"].stateless(x_fake)
        values = (weight_at(p.weight, step) * jnp.mean(p.scores(nets, *scores, step)) for p in of_scores)
        return sum(values, added("d", nets, batch, x_fake, keys, step))

    return Penalty(d, partial(added, "g"), memory=memory)


def for_players(penalty: Penalty, *, d: str = "d", g: str = "g") -> Penalty:
    """Redirects a penalty to players of other names, for games of several discriminators or generators.

    Its terms find these players as "d" and "g". The players that hold its state get the discriminator's name as an
    ending: `lecam_critic`.
    """
    memory = {name: f"{name}_{d}" for name in penalty.memory}

    def redirect(term: Callable) -> Callable:
        def redirected(nets: Nets, *args: Any, **scores: Any) -> Any:
            named = {"d": d, "g": g, **memory}
            return term({**nets, **{role: nets[name] for role, name in named.items() if name in nets}}, *args, **scores)

        return term if term is nothing else redirected

    terms = {side: redirect(getattr(penalty, side)) for side in ("d", "g", "scores")}
    return penalty._replace(**terms, memory={memory[name]: each for name, each in penalty.memory.items()}, name="")


def weight_at(weight: Weight, step: Int[Array, ""]) -> Any:
    """Evaluates a weight at a step."""
    return weight(step) if callable(weight) else weight
