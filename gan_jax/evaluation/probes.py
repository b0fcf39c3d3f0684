"""What a trained game is asked: samples as they can be stored, paths between latents, the discriminator's scores.

All in full float32: what a GPU rounds to be fast would make scores depend on the machine, and path lengths worthless.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from gan_jax.engine.game import Game, State
from gan_jax.engine.keys import named_key
from gan_jax.engine.networks import bind
from gan_jax.errors import BadInput
from gan_jax.evaluation.inputs import Labelled, Networks
from gan_jax.metrics.features.network import BATCH, FeatureNet, look
from gan_jax.sampling.interpolation import slerp
from gan_jax.sampling.latents import cycle_classes, draw_latents
from gan_jax.sampling.sampler import sampler
from gan_jax.viz.images import to_uint8

Drawer = Callable[[State, int], Labelled]
"""`draw(state, n)`."""


def drawer(game: Game, key: Key[Array, ""], classes: tuple[str, ...]) -> Drawer:
    """Draws samples of a game as 8-bit images, those that `gan-jax sample --seed` draws; compiled once.

    `classes` are what the game's labels mean, where it is asked for classes. Where it is asked for a categorical code
    instead, that is the label, which means nothing yet.
    """
    draw = sampler(game)

    def samples(state: State, n: int) -> Labelled:
        drawn = draw_latents(game, key, n)
        with jax.default_matmul_precision("highest"):
            images = to_uint8(draw(state, drawn))
        asked = next(iter(cycle_classes(game)), None)
        if asked is None:
            return Labelled(images)
        return Labelled(images, np.asarray(drawn[asked]), classes if asked == "y" else ())

    return samples


def drawn(game: Game, checkpoint: str, seed: int) -> dict[str, Any]:
    """How samples of a run are drawn: from which checkpoint, of which network, with which key."""
    averaged = any(player.ema for player in game.players.values())
    return {"checkpoint": checkpoint, "network": "moving average" if averaged else "as trained", "seed": seed}


def networks(game: Game, key: Key[Array, ""], net: FeatureNet) -> Callable[[State], Networks]:
    """The networks of a game as metrics ask them, in any state; compiled once, when they are asked."""
    draw, score = sampler(game), _scorer(game)

    def path(state: State, n: int, epsilon: float) -> tuple[Float[np.ndarray, "n D"], Float[np.ndarray, "n D"]]:
        start, end = (draw_latents(game, named_key(key, name), n) for name in ("path start", "path end"))

        def features(z: Float[Array, "n Z"]) -> Float[np.ndarray, "n D"]:
            # As the generator makes them: rounded to 8 bits, neighbors on a path would be equal.
            with jax.default_matmul_precision("highest"):
                return look(net, 127.5 * (draw(state, start | {"z": z}) + 1)).features

        here, there = ends(named_key(key, "path place"), start["z"], end["z"], epsilon)
        return features(here), features(there)

    return lambda state: Networks(
        path=lambda n, epsilon: path(state, n, epsilon), scores=lambda shown: score(state, shown)
    )


def _scorer(game: Game) -> Callable[[State, Labelled], Float[np.ndarray, " N"]]:
    @jax.jit
    def chunk(players, batch, blank):
        output = bind(game, players)["d"].ema(*game.inputs(batch, blank)["d"])
        return output[0] if isinstance(output, tuple) else output  # beside scores, what the discriminator recognizes

    def score(state: State, shown: Labelled) -> Float[np.ndarray, " N"]:
        if "d" not in game.players:
            raise BadInput("this game has no player d: leave the metric out")
        blank = game.prior(jax.random.split(jax.random.key(0), BATCH))
        if "y" in blank and shown.labels is None:
            raise BadInput("the discriminator asks for classes, and the images have none: leave the metric out")
        n, scores = len(shown.images), []
        for first in range(0, n, BATCH):
            rows = np.arange(first, first + BATCH) % n
            batch = {"x": jnp.asarray(shown.images[rows], jnp.float32) / 127.5 - 1}
            batch |= {} if shown.labels is None else {"y": jnp.asarray(shown.labels[rows], jnp.int32)}
            with jax.default_matmul_precision("highest"):
                scores.append(np.asarray(chunk(state.players, batch, blank)))
        if scores[0].shape != (BATCH,):
            raise BadInput("the discriminator does not give every image a score of its own: leave the metric out")
        return np.concatenate(scores)[:n]

    return score


def ends(
    key: Key[Array, ""], z0: Float[Array, "N Z"], z1: Float[Array, "N Z"], epsilon: float
) -> tuple[Float[Array, "N Z"], Float[Array, "N Z"]]:
    """Two close points on the path from every `z0` to its `z1`: at t, uniform in [0, 1), and at t + epsilon.

    The path is `slerp`. StyleGAN normalizes latents, and takes unit vectors; here their length is that of the pair.
    """
    t = jax.random.uniform(key, z0.shape[:1])
    return slerp(z0, z1, t), slerp(z0, z1, t + epsilon)
