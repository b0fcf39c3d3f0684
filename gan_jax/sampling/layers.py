"""Records what goes into the layers of networks, and what comes out, whatever game calls them."""

from collections.abc import Callable
from typing import Any, NamedTuple

from flax import linen as nn
from jaxtyping import Array, Float


class LayerCall(NamedTuple):
    """A call of a layer with a kernel."""

    name: str
    """The path of the layer in its network: `DownBlock_0/Conv_1`."""
    x: Float[Array, "B ..."]
    y: Float[Array, "B ..."]


def layer_calls(function: Callable[[], Any]) -> list[LayerCall]:
    """Runs `function`, and records the calls of all layers that have a kernel of their own, in order."""
    calls = []

    def record(call: Callable, args: tuple, kwargs: dict, context: Any) -> Any:
        y = call(*args, **kwargs)
        if context.method_name == "__call__" and context.module.has_variable("params", "kernel"):
            calls.append(LayerCall("/".join(context.module.path), args[0], y))
        return y

    with nn.intercept_methods(record):
        function()
    return calls
