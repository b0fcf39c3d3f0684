"""Mixes the styles of samples: layers of one, all others of another.

Karras et al. 2019, "A style-based generator architecture for generative adversarial networks", sec. 3.1 and fig. 3,
https://arxiv.org/abs/1812.04948.
"""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from gan_jax.engine.game import Game, Latents, State
from gan_jax.sampling.sampler import sampler
from gan_jax.sampling.space import in_space, space_of

THIRDS: Mapping[str, int] = {"coarse": 0, "middle": 1, "fine": 2}
"""The parts of the layers by name, from the smallest maps to the largest."""


def mixing_sheet(
    game: Game, state: State, sources: Latents, styles: Latents, part: str
) -> Float[np.ndarray, "rows cols ..."]:
    """Draws a sheet: a white cell and `m` samples, whose styles are lent, then a row for each of `n` sources.

    A row begins with its source, which then takes a third of its layers from one sample after the other, and keeps its
    noise. Of 18 layers, the coarse ones are the first six.
    """
    space, draw = space_of(game), sampler(in_space(game))
    w, lent = sources[space.name], styles[space.name]
    n, m, layers = len(w), len(lent), w.shape[1]
    taken = slice(*(layers * (THIRDS[part] + end) // 3 for end in (0, 1)))
    mixed = jnp.repeat(w, m, axis=0).at[:, taken].set(jnp.tile(lent[:, taken], (n, 1, 1)))
    row = jnp.repeat(jnp.arange(n), m)
    cells = draw(state, {name: leaf[row] for name, leaf in sources.items()} | {space.name: mixed})
    top, left = draw(state, styles), draw(state, sources)
    rows = np.concatenate([left[:, None], cells.reshape(n, m, *cells.shape[1:])], axis=1)
    return np.concatenate([np.concatenate([np.ones_like(top[:1]), top])[None], rows])
