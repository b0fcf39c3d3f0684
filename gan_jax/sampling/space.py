"""The latent space of a game: where samples are truncated, walked between and edited.

A style-based game declares its space of styles; every other game of noise has that of its first latent vector. In its
space a game is a game again, `in_space(game)`, whose latents hold w, so that all that samples a game samples edits.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from gan_jax.engine.game import Game, Latents, State
from gan_jax.engine.networks import bind
from gan_jax.errors import BadInput
from gan_jax.priors import LatentSpace, draw
from gan_jax.sampling.latents import interpolate_latents
from gan_jax.sampling.sampler import sampler


def space_of(game: Game) -> LatentSpace:
    """Returns the space that a game declares, or else that of the first vector of its prior, of mean 0.

    Raises:
        BadInput: the game makes samples of inputs, or has no latent vector.
    """
    if game.space is not None:
        return game.space
    drawn = jax.eval_shape(lambda: draw(game.prior, jax.random.split(jax.random.key(0), 1)))
    # In the order of the prior: `eval_shape` sorts the names.
    names = [name for name in game.prior if drawn[name].ndim == 2 and jnp.issubdtype(drawn[name].dtype, jnp.floating)]
    if game.conditions or not names:
        what = f"inputs ({', '.join(game.conditions)})" if game.conditions else "no vector of noise"
        raise BadInput(f"this game makes samples of {what}, so it has no latent space: choose a run on noise")
    name = names[0]
    return LatentSpace(name, lambda nets, latents: latents[name], game.sample, lambda nets: jnp.float32(0))


def in_space(game: Game) -> Game:
    """Returns the game whose samples are made of latents that hold w."""
    return game._replace(sample=space_of(game).decode)


def encode(game: Game, state: State, latents: Latents) -> Latents:
    """Adds w to latents of the prior that do not hold it yet."""
    space = space_of(game)
    if space.name in latents:
        return latents
    w = sampler(game._replace(sample=space.encode))(state, latents)
    return latents | {space.name: jnp.asarray(w)}


def truncate(game: Game, state: State, latents: Latents, psi: float) -> Latents:
    """Moves w towards its mean, `w' = mean + psi (w - mean)`: less variety, fewer bad samples.

    With 0 all samples are one, except for labels, codes and noise; with 1 they are unchanged. In a style-based
    generator the mean is that of its styles: Karras et al. 2019, app. B (https://arxiv.org/abs/1812.04948). Elsewhere
    it is 0, and truncation scales the latent: it draws from a normal distribution of deviation psi, as in Brock et
    al. 2019, sec. 3.1 (https://arxiv.org/abs/1809.11096), who cut its tails off instead.
    """
    space = space_of(game)
    w = latents[space.name]
    mean = jnp.broadcast_to(space.mean(bind(game, state.players)), w.shape)
    return latents | {space.name: mean + psi * (w - mean)}


def walk(game: Game, state: State, start: Latents, end: Latents, steps: int) -> Latents:
    """Interpolates in `steps` from each of `n` latents `start` to its `end`: latents `[n * steps, ...]`.

    They hold w if the game declares its space. Styles follow the line; latents of a prior follow the path of their
    distribution, a great circle if it is normal.
    """
    path = interpolate_latents(game, start, end, steps)
    if game.space is None:
        return path
    a, b = (encode(game, state, ends)[game.space.name] for ends in (start, end))
    t = jnp.linspace(0.0, 1.0, steps, dtype=jnp.float32).reshape(1, -1, *(1,) * (a.ndim - 1))
    w = a[:, None] + t * (b - a)[:, None]
    return path | {game.space.name: w.reshape(-1, *a.shape[1:])}


def vectors(w: Float[Array, "N *L W"]) -> Float[Array, "N W"]:
    """Returns w of the first layer, where all layers have the same."""
    return w.reshape(w.shape[0], -1, w.shape[-1])[:, 0]
