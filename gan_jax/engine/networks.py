"""Networks bound to their variables, as losses call them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax

from gan_jax.engine.game import Game, Network, Params, PlayerState, Variables


class BoundNet:
    """A player's network bound to its variables: the one mutable object, alive while a loss is traced.

    `stats` are replaced by every call. Afterwards the step stores those of the movers and drops all others.
    """

    def __init__(self, net: Network, params: Params, state: PlayerState):
        self._net = net
        self.params = params
        self._ema = state.ema
        self.stats = state.stats

    def __call__(self, *args: Any, **method: Any) -> Any:
        """Applies the network in training mode and records its new stats; `method="name"` calls another method."""
        output, self.stats = self._train(args, method)
        return output

    def stateless(self, *args: Any, **method: Any) -> Any:
        """Applies the network in training mode without recording stats: a function that penalties can differentiate."""
        return self._train(args, method)[0]

    def ema(self, *args: Any, **method: Any) -> Any:
        """Applies the network in inference mode, with the EMA of params and stats; no gradient flows to them."""
        variables = {"params": self.params, **self.stats} if self._ema is None else self._ema
        return self._net.apply(jax.lax.stop_gradient(variables), *args, **method)

    def wrap(self, call: Callable[..., Any]) -> "WrappedNet":
        """Wraps the network in `call(net, *args)`, which may fill in a label or select one of several outputs."""
        return WrappedNet(self, call)

    def _train(self, args: tuple, method: dict) -> tuple[Any, Variables]:
        variables = {"params": self.params, **self.stats}
        output, stats = self._net.apply(variables, *args, mutable=list(self.stats), **method)
        return output, dict(stats)

    # Names of earlier releases, for user files.
    frozen, slow, through = stateless, ema, wrap


class WrappedNet:
    """A bound network behind a function `call(net, *args)`, in the three modes of `BoundNet`."""

    def __init__(self, net: "BoundNet | WrappedNet", call: Callable[..., Any]):
        self.params = net.params
        self._train = partial(call, net)
        self.stateless = self.frozen = partial(call, net.stateless)
        self.ema = self.slow = partial(call, net.ema)

    wrap = BoundNet.wrap

    def __call__(self, *args: Any, **method: Any) -> Any:
        """As `BoundNet.__call__`."""
        return self._train(*args, **method)


def bind(
    game: Game, states: Mapping[str, PlayerState], params: Mapping[str, Params] | None = None
) -> dict[str, BoundNet]:
    """Binds every player's network to its state; `params` replaces the parameters of the players it names."""
    params = params or {}
    return {
        name: BoundNet(player.net, params.get(name, states[name].params), states[name])
        for name, player in game.players.items()
    }
