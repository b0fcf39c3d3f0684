"""Generative adversarial networks as games between pure functions: the public names.

Every name is imported on first use: `import gan_jax` alone loads neither JAX nor flax. Folders import downwards only,
as the contracts in `pyproject.toml` list them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gan_jax import aliases

if TYPE_CHECKING:
    from gan_jax import games, losses, metrics, penalties
    from gan_jax import metrics as evaluate
    from gan_jax.engine import keys, parallel
    from gan_jax.engine import keys as latents
    from gan_jax.engine.game import Batch, Game, Metrics, Move, Player, State, Turn, images_per_step, move, turn
    from gan_jax.engine.networks import bind
    from gan_jax.engine.step import init, make_step
    from gan_jax.errors import BadInput

aliases.install()

__all__ = [
    "BadInput",
    "Batch",
    "Game",
    "Metrics",
    "Move",
    "Player",
    "State",
    "Turn",
    "bind",
    "evaluate",
    "games",
    "images_per_step",
    "init",
    "keys",
    "latents",
    "losses",
    "make_step",
    "metrics",
    "move",
    "parallel",
    "penalties",
    "turn",
]

_MODULES = {
    "evaluate": "metrics",
    "games": "games",
    "keys": "engine.keys",
    "latents": "engine.keys",
    "losses": "losses",
    "metrics": "metrics",
    "parallel": "engine.parallel",
    "penalties": "penalties",
}
_DEFINED_IN = {"BadInput": "errors", "bind": "engine.networks", "init": "engine.step", "make_step": "engine.step"}
"""Where the names that are no modules are defined; the others are in `engine.game`."""


def __getattr__(name: str) -> Any:
    """Imports a public name on its first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _MODULES:
        value = import_module(f"{__name__}.{_MODULES[name]}")
    else:
        value = getattr(import_module(f"{__name__}.{_DEFINED_IN.get(name, 'engine.game')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
