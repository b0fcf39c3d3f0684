"""Directions that a generator has of its own, found without labels: SeFa and GANSpace.

A finder returns at most `count` directions, the strongest first, and the share of each. Their signs are arbitrary: the
largest component is made positive.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from gan_jax.engine.game import Game, Latents, State
from gan_jax.errors import BadInput
from gan_jax.sampling.layers import LayerCall, layer_calls
from gan_jax.sampling.sampler import generate
from gan_jax.sampling.space import in_space, space_of, vectors

POINTS = 8
"""Latents at which the first layers are differentiated."""

IMAGES = 1000
"""Samples of whose activations components are computed: a matrix of so many rows and columns is decomposed."""


class Found(NamedTuple):
    """Directions `[K, W]` of any length, and the share of each in the whole."""

    directions: Float[np.ndarray, "K W"]
    shares: Float[np.ndarray, " K"]


Finder = Callable[[Game, State, Latents, int], Found]
"""`find(game, state, latents, count)`, from latents that hold w."""


def sefa(game: Game, state: State, latents: Latents, count: int) -> Found:
    """Finds the directions that change the output of the first layers most: eigenvectors of A^T A.

    A `[out, W]` is the Jacobian of the layers that take w: the first layer or, in a style-based generator, the layers
    that make the styles of all others. It is their matrix of weights, since they are affine; where w is normalized
    before them, A^T A is the mean over samples.

    Shen and Zhou 2021, "Closed-form factorization of latent semantics in GANs", eq. 4 to 6,
    https://arxiv.org/abs/2007.06600.
    """
    name = space_of(game).name

    @jax.jit
    def gram(state: State, latents: Latents) -> Float[Array, "W W"]:
        shape = latents[name].shape[1:]

        def outputs(latents: Latents, w: Float[Array, " W"]) -> Float[Array, " D"]:
            one = {key: leaf[None] for key, leaf in latents.items()} | {name: jnp.broadcast_to(w, (1, *shape))}
            first = _first_layers(_calls(game, state, one), shape)
            return jnp.concatenate([call.y.ravel() for call in first])

        def at(latents: Latents) -> Float[Array, "W W"]:
            a = jax.jacfwd(outputs, argnums=1)(latents, latents[name].reshape(-1, shape[-1])[0])
            return a.T @ a

        return jnp.mean(jax.lax.map(at, latents), axis=0)

    found = gram(state, {key: leaf[:POINTS] for key, leaf in latents.items()})
    return _strongest(*np.linalg.eigh(np.asarray(found, np.float64)), count)


def _calls(game: Game, state: State, latents: Latents) -> list[LayerCall]:
    calls = layer_calls(lambda: generate(in_space(game), state.players, latents, state.step))
    if not calls:
        raise BadInput(
            "the generator has no layers with a kernel, as nn.Dense has: choose the direction of an attribute"
        )
    return calls


def _first_layers(calls: list[LayerCall], shape: tuple[int, ...]) -> list[LayerCall]:
    """Returns the first layer or, for w `[L, W]`, all that take vectors: they make styles, others take maps."""
    return calls[:1] if len(shape) == 1 else [call for call in calls if call.x.ndim == 2]


def ganspace(game: Game, state: State, latents: Latents, count: int) -> Found:
    """Finds the directions along which samples vary most: principal components of w or, of noise, of activations.

    Noise has the same variance everywhere; of it, the components are those of the second layer's inputs y, and their
    directions the regression of w on the coordinates c: u_k = sum_i c_ik w_i / sum_i c_ik^2.

    Härkönen et al. 2020, "GANSpace: discovering interpretable GAN controls", sec. 2.1 and eq. 1 to 3,
    https://arxiv.org/abs/2004.02546.
    """
    latents = {key: leaf[:IMAGES] for key, leaf in latents.items()}
    w = np.asarray(vectors(latents[space_of(game).name]), np.float64)
    w = w - w.mean(axis=0)
    y = w if game.space is not None else _activations(game, state, latents)
    y = (y - y.mean(axis=0)).reshape(len(w), -1)
    # Eigenvectors of y y^T, of unit length, are the coordinates of the samples divided by their deviation.
    variances, coordinates = np.linalg.eigh(y @ y.T)
    directions = _strongest(variances, coordinates, min(count, w.shape[1]))
    return directions._replace(directions=_signed(directions.directions @ w))


def _activations(game: Game, state: State, latents: Latents) -> Float[np.ndarray, "N ..."]:
    """Computes the inputs of the second layer."""

    @jax.jit
    def second(state: State, latents: Latents) -> Float[Array, "N ..."]:
        calls = _calls(game, state, latents)
        return calls[min(1, len(calls) - 1)].x

    return np.asarray(second(state, latents), np.float64)


FINDERS: Mapping[str, Finder] = {"sefa": sefa, "pca": ganspace}
"""Finders by the names of their directions: `sefa-1`, `pca-1`."""


def _strongest(values: Float[np.ndarray, " D"], columns: Float[np.ndarray, "D D"], count: int) -> Found:
    """Returns the `count` columns of the largest values, as rows, and their shares."""
    order = np.argsort(values)[::-1][:count]
    return Found(_signed(columns[:, order].T), values[order] / values.sum())


def _signed(directions: Float[np.ndarray, "K W"]) -> Float[np.ndarray, "K W"]:
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1)
    return directions * np.where(largest < 0, -1.0, 1.0)
