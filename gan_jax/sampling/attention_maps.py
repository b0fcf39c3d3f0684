"""What the networks of a game look at: activations of the generator, and gradients of the discriminator's score."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from gan_jax.engine.game import Game, Latents, State
from gan_jax.engine.networks import bind
from gan_jax.sampling.layers import layer_calls
from gan_jax.sampling.sampler import generate


def activations(game: Game, state: State, latents: Latents) -> dict[str, Float[np.ndarray, "B _ _ _"]]:
    """Computes the maps that come out of every layer of a generator, by the layer's name, in order."""

    names: list[str] = []

    @jax.jit
    def maps(state: State, latents: Latents) -> list[Float[Array, "B _ _ _"]]:
        calls = layer_calls(lambda: generate(game, state.players, latents, state.step))
        names[:] = [call.name for call in calls if call.y.ndim == 4]  # while it is traced
        return [call.y for call in calls if call.y.ndim == 4]

    arrays = maps(state, latents)
    return dict(zip(names, map(np.asarray, arrays), strict=True))


def saliency(game: Game, state: State, x: Float[Array, "B H W C"], latents: Latents) -> Float[np.ndarray, "B H W"]:
    """Computes |d score / d x|, its sum over channels: where a change of an image changes the discriminator's score.

    Labels of images are those of their latents.

    Simonyan et al. 2014, "Deep inside convolutional networks: visualising image classification models and saliency
    maps", sec. 3, https://arxiv.org/abs/1312.6034.
    """

    @jax.jit
    def gradient(state: State, x: Float[Array, "B H W C"], latents: Latents) -> Float[Array, "B H W C"]:
        def score(x: Float[Array, "B H W C"]) -> Float[Array, ""]:
            inputs = game.inputs({**latents, "x": x}, latents)[game.clock]
            scores, *_ = jax.tree.leaves(bind(game, state.players)[game.clock].ema(*inputs))
            return jnp.sum(scores)

        return jax.grad(score)(x)

    return np.abs(np.asarray(gradient(state, x, latents))).sum(axis=-1)
