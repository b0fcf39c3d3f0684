"""Augmentation in any game: a discriminator sees its examples, real and generated, transformed at random.

Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training", eq. 1 to 3,
https://arxiv.org/abs/2006.10738.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

from jaxtyping import Array, Int

from gan_jax.augment.transform import Transform
from gan_jax.engine.game import Game
from gan_jax.engine.keys import split
from gan_jax.games.view import through

TransformAt = Callable[[Mapping[str, Any], Int[Array, ""]], Transform]
"""`at(nets, step) -> transform`: the transform of a step, which may depend on the state of a player."""


class Augmentation(NamedTuple):
    """A change of a game, `play(game, player) -> game`, by which a player sees its examples transformed."""

    name: str
    play: Callable[[Game, str], Game]


def always(transform: Transform) -> Augmentation:
    """Makes the augmentation that applies a transform to every example; its name is that of the function."""
    return Augmentation(transform.__name__, lambda game, player: augmented(game, lambda nets, step: transform, player))


def play_augmented(game: Game, augmentations: Sequence[Augmentation], player: str = "d") -> Game:
    """Applies augmentations to a game; the first transforms the examples first."""
    return reduce(lambda game, each: each.play(game, player), augmentations, game)


def augmented(game: Game, at: TransformAt, player: str = "d") -> Game:
    """Returns the game in which a player's network sees its examples transformed.

        d(x, ..., keys)  becomes  d(t(x), ..., keys)      t = at(nets, step)

    It does so in every move, whose gradients pass through t: generators learn through it, and penalties see the
    composition, with the draw of the loss. The keys of t are drawn from those of the call, so that every call has its
    own; a call without keys, and samplers, see x as it is.

    Args:
        game: the game.
        at: the transform by the bound networks and the step.
        player: the name of a network that takes the examples first and keys `[B]` last.
    """

    def view(nets, batch, keys, step):
        transform = at(nets, step)

        def call(d, x, *others):
            if not others:
                return d(x)
            own, keys = split(others[-1], 2)
            return d(transform(x, own), *others[:-1], keys)

        return {**nets, player: nets[player].wrap(call)}, batch

    return through(game, view)
