"""Numerics of a game: the type in which its networks compute, and what they keep for the backward pass."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Key

from gan_jax.engine.game import Game, Network, Variables
from gan_jax.engine.step import init
from gan_jax.errors import BadInput


def compute_in(game: Game, dtype: DTypeLike, batch: Mapping[str, Any]) -> Game:
    """Returns the game whose networks compute their activations in `dtype`.

    Parameters, statistics, the last layer of a discriminator, what a network returns, and with them losses, penalties,
    optimizers and moving averages stay float32. Frozen networks, and players without parameters, are left as they are.

    Args:
        game: the game.
        dtype: such as `jnp.bfloat16`, whose range is that of float32: losses need no scale.
        batch: arrays or shapes `[slice, B, ...]` of a step.

    Raises:
        BadInput: a network with parameters has no field `dtype`.
    """
    nets = {name: _in_dtype(player.net, dtype) for name, player in game.players.items()}
    if unchanged := [name for name, net in nets.items() if net is None]:
        players = jax.eval_shape(partial(init, game), jax.random.key(0), batch).players
        for name in unchanged:
            if players[name].params:
                raise BadInput(f"the network of player {name!r} has no field dtype: give it one, or leave --dtype out")
    players = {name: player._replace(net=nets[name] or player.net) for name, player in game.players.items()}
    return game._replace(players=players)


def _in_dtype(net: Any, dtype: DTypeLike) -> nn.Module | None:
    """Sets the field `dtype` of a module, or of the modules that it wraps; None if there is no such field."""
    if not isinstance(net, nn.Module):
        return None
    if "dtype" in net.__dataclass_fields__ and not isinstance(net, nn.SpectralNorm):  # whose dtype is of kernels
        return net.clone(dtype=dtype)
    fields = {name: _in_dtype(getattr(net, name), dtype) for name in net.__dataclass_fields__ if name != "parent"}
    changed = {name: inner for name, inner in fields.items() if inner is not None}
    return net.clone(**changed) if changed else None


def rematerialized(game: Game) -> Game:
    """Returns the game whose networks compute activations again in the backward pass, except products.

    The results of convolutions and matrix products are kept, so that none is computed twice; norms, activations and
    dropout, which cost little, are computed again from them. Gradients are equal up to rounding.
    Chen et al. 2016, "Training deep nets with sublinear memory cost", sec. 3 (https://arxiv.org/abs/1604.06174).

    Meant for accelerators. On a CPU, XLA computes everything again at once, and needs no less memory.
    """
    players = {name: player._replace(net=Rematerialized(player.net)) for name, player in game.players.items()}
    return game._replace(players=players)


@dataclass(frozen=True)
class Rematerialized:
    """A network that keeps the results of its products only for the backward pass."""

    net: Network

    def init(self, key: Key[Array, ""], *args: Any) -> Variables:
        """Initializes the variables of the network."""
        return self.net.init(key, *args)

    def apply(self, variables: Variables, *args: Any, mutable: Any = False, **method: Any) -> Any:
        """Applies the network."""
        call = partial(self.net.apply, mutable=mutable, **method)
        return jax.checkpoint(call, policy=jax.checkpoint_policies.dots_saveable)(variables, *args)
