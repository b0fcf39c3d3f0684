"""Plays the Dirac-GAN on the engine, for comparison with the closed forms of `dirac_theory`."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from gan_jax.engine.game import Game, State, slice_count
from gan_jax.engine.step import init, make_step
from gan_jax.viz import scatter2d

Points = Float[Array, "N 2"]
"""(theta, psi), one row each."""


def path(game: Game, steps: int) -> Points:
    """Computes (theta, psi) before and after each of the first `steps` steps, `[steps + 1, 2]`, without noise."""
    start = _start(game)

    def play(state: State, _: None) -> tuple[State, Float[Array, "2"]]:
        state = _step(game, state)
        return state, _where(state)

    return jnp.concatenate([_where(start)[None], jax.lax.scan(play, start, length=steps)[1]])


def flow(game: Game, points: Points) -> Points:
    """Computes the displacement by one step from every point, with freshly initialized optimizers."""

    def moved(point: Float[Array, "2"]) -> Float[Array, "2"]:
        state = _start(game)
        for name, parameter, value in (("g", "theta", point[0]), ("d", "psi", point[1])):
            state.players[name] = state.players[name]._replace(params={parameter: value})
        return _where(_step(game, state)) - point

    return jax.vmap(moved)(points)


def preview(game: Game) -> Callable[[State], UInt8[np.ndarray, "H W 3"]]:
    """Returns `draw(state)`: the trajectory up to a state over the vector field of one step."""

    def draw(state: State) -> UInt8[np.ndarray, "H W 3"]:
        taken = np.asarray(path(game, int(state.step)))
        extent = scatter2d.extent_of(np.concatenate([taken, -taken]))
        lattice = scatter2d.grid_points(extent, 16)
        arrows = np.asarray(jax.jit(lambda points: flow(game, points))(jnp.asarray(lattice.reshape(-1, 2))))
        return scatter2d.trajectories({"": taken}, arrows.reshape(lattice.shape), extent)

    return draw


def _start(game: Game) -> State:
    return init(game, jax.random.key(0), _batch(game))


def _step(game: Game, state: State) -> State:
    return make_step(game)(state, _batch(game))[0]


def _batch(game: Game) -> dict[str, Float[Array, "slice 2 1"]]:
    """Makes the data: the point 0, twice, for losses that compare examples."""
    return {"x": jnp.zeros((slice_count(game), 2, 1))}


def _where(state: State) -> Float[Array, "2"]:
    return jnp.stack([state.players["g"].params["theta"], state.players["d"].params["psi"]])
