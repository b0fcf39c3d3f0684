"""Adaptive discriminator augmentation: as strong as it takes for the discriminator not to overfit.

Karras et al. 2020, "Training generative adversarial networks with limited data", sec. 3,
https://arxiv.org/abs/2006.06676.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from jaxtyping import Array, Float, Int

from gan_jax.augment.transform import Transform
from gan_jax.engine.collectives import device_count, pmean
from gan_jax.engine.game import Game, Keys, Player, move, turn
from gan_jax.errors import BadInput
from gan_jax.games.augmented import augmented

AdaptiveTransform = Callable[[Float[Array, "B ..."], Keys, Float[Array, ""]], Float[Array, "B ..."]]
"""`transform(x, keys, p)`; for p = 0 it returns `x`."""


class Strength(nn.Module):
    """Keeps the probability p of an augmentation, which starts at 0; a network without parameters.

        p <- clip(p + sign(r - target) images / ramp, 0, 1)      r = mean(sign(s_real))

    r is near 0 where the scores of training images are on both sides, and 1 where all are positive: then the
    discriminator knows them.
    """

    target: float = 0.6
    ramp: float = 500_000.0
    """Images in which p goes from 0 to 1 at most."""
    every: int = 4
    """Steps between two updates."""

    @nn.compact
    def __call__(self, s_real: Float[Array, "B ..."] | None = None) -> Float[Array, ""]:
        """Returns p; with scores `[B]` of real examples or `[B, h, w]` of patches, updates it first in training."""
        p = self.variable("ada", "p", jnp.zeros, (), jnp.float32)
        if s_real is not None and self.is_mutable_collection("ada") and not self.is_initializing():
            excess = pmean(jnp.mean(jnp.sign(s_real.astype(jnp.float32)))) - self.target
            images = self.every * s_real.shape[0] * device_count()
            p.value = jnp.clip(p.value + jnp.sign(excess) * images / self.ramp, 0.0, 1.0)
        return p.value


def adaptive(game: Game, transform: AdaptiveTransform, player: str = "d", strength: Strength | None = None) -> Game:
    """Returns the game in which a player sees its examples transformed with an adaptive probability p.

    p belongs to a player of its own, `ada` (or `ada_<player>`), so it is in the state. In every k-th step that player
    scores the turn's real examples once more, and moves p by the sign of the mean of their signs. (The authors'
    program keeps the signs of the last k steps instead.) Its metric is `ada/p`.

    Args:
        game: the game.
        transform: `transform(x, keys, p)`, as `augment.ada.bgc`.
        player: the name of a network that takes the examples first and keys `[B]` last, and returns scores, or scores
            first. `game.inputs` has to give it real examples.
        strength: the controller; by default that of the paper.

    Raises:
        BadInput: the player's augmentation is adaptive already.
    """
    strength = strength or Strength()
    name = "ada" if player == "d" else f"ada_{player}"
    if name in game.players:
        raise BadInput(f"the examples of player {player!r} are augmented with adaptive strength twice: give ada once")

    def adjust(nets, batch, keys, step):
        real = game.inputs(batch, game.draw(keys, batch))[player]
        s_real, *_ = jax.tree.leaves(nets[player].stateless(*real, keys))
        return jnp.float32(0), {"p": nets[name](s_real)}

    def at(nets: Mapping[str, Any], step: Int[Array, ""]) -> Transform:
        return partial(transform, p=nets[name].stateless())

    with_player = game._replace(
        players={**game.players, name: Player(strength, optax.identity())},
        turns=(*game.turns, turn(move(name, adjust), every=strength.every)),
        inputs=lambda batch, latents: {**game.inputs(batch, latents), name: ()},
    )
    return augmented(with_player, at, player)
