"""A network together with its variables: how a loss reaches a player."""

from collections.abc import Callable, Mapping
from typing import Any

import jax

from gan_jax.engine.game import Game, Network, Params, PlayerState, Variables


class BoundNet:
    """One player's network, bound to the player's state.

    It lives while one loss is traced. `stats` starts as the player's and follows every call; the step keeps what it
    has become for the movers, and drops it for everybody else.
    """

    def __init__(self, net: Network, params: Params, state: PlayerState):
        self._net = net
        self.params = params
        self._ema = state.ema
        self.stats = state.stats

    def __call__(self, *args: Any) -> Any:
        """The network in training: applies it and records its new stats."""
        output, self.stats = self._train(args)
        return output

    def stateless(self, *args: Any) -> Any:
        """The network in training, but its new stats are dropped: what a penalty differentiates."""
        return self._train(args)[0]

    def ema(self, *args: Any) -> Any:
        """The network as it is used after training: the EMA of params and stats, and no gradient to them."""
        variables = {"params": self.params, **self.stats} if self._ema is None else self._ema
        return self._net.apply(jax.lax.stop_gradient(variables), *args)

    def wrap(self, call: Callable[..., Any]) -> "WrappedNet":
        """This network as `call(net, *args)` uses it: with a label filled in, say, or one output of several."""
        return WrappedNet(self, call)

    def _train(self, args: tuple) -> tuple[Any, Variables]:
        variables = {"params": self.params, **self.stats}
        output, stats = self._net.apply(variables, *args, mutable=list(self.stats))
        return output, dict(stats)


class WrappedNet:
    """A bound network as a function `call(net, *args)` uses it, in training, frozen or slow."""

    def __init__(self, net: BoundNet, call: Callable[..., Any]):
        self._net = net
        self._call = call

    @property
    def params(self) -> Params:
        """The network's."""
        return self._net.params

    def __call__(self, *args: Any) -> Any:
        """As the network in training; what it records, it records."""
        return self._call(self._net, *args)

    def stateless(self, *args: Any) -> Any:
        """As the network in training, recording nothing."""
        return self._call(self._net.stateless, *args)

    def ema(self, *args: Any) -> Any:
        """As the network after training."""
        return self._call(self._net.ema, *args)


def bind(
    game: Game, states: Mapping[str, PlayerState], params: Mapping[str, Params] | None = None
) -> dict[str, BoundNet]:
    """Every player's network bound to its state, with `params` in place of the state's where given."""
    params = params or {}
    return {
        name: BoundNet(player.net, params.get(name, states[name].params), states[name])
        for name, player in game.players.items()
    }
