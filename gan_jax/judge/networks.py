"""What a trained game is asked: samples as they can be stored, paths between latents, the discriminator's scores."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from gan_jax import pictures
from gan_jax.bound import bind
from gan_jax.errors import BadInput
from gan_jax.evaluate.features import BATCH, FeatureNet, Images, look
from gan_jax.evaluate.path_length import ends
from gan_jax.game import Game, State
from gan_jax.judge.evidence import Networks
from gan_jax.sample import latents, sampler
from gan_jax.step import named_key

Draw = Callable[[State, int], tuple[Images, Int[np.ndarray, " n"] | None]]
"""`draw(state, n)`: images and, where the game is asked for classes, labels."""


def drawer(game: Game, key: Key[Array, ""]) -> Draw:
    """Draws samples of a game as 8-bit images, those that `gan-jax sample --seed` draws; compiled once."""
    draw = sampler(game)

    def samples(state: State, n: int) -> tuple[Images, Int[np.ndarray, " n"] | None]:
        drawn = latents(game, key, n)
        return pictures.to_uint8(draw(state, drawn)), np.asarray(drawn["y"]) if "y" in drawn else None

    return samples


def networks(game: Game, state: State, key: Key[Array, ""], net: FeatureNet) -> Networks:
    """The networks of a game in a state, as metrics ask them; `net` is what looks at the images on a path."""
    return Networks(partial(_path, game, state, key, net), partial(_scores, game, state))


def _path(
    game: Game, state: State, key: Key[Array, ""], net: FeatureNet, n: int, epsilon: float
) -> tuple[Float[np.ndarray, "n D"], Float[np.ndarray, "n D"]]:
    start, end = (latents(game, named_key(key, name), n) for name in ("path start", "path end"))
    draw = sampler(game)

    def features(z: Float[Array, "n Z"]) -> Float[np.ndarray, "n D"]:
        # As the generator makes them: rounded to 8 bits, neighbours on a path would be equal.
        return look(net, 127.5 * (draw(state, start | {"z": z}) + 1)).features

    here, there = ends(named_key(key, "path place"), start["z"], end["z"], epsilon)
    return features(here), features(there)


def _scores(game: Game, state: State, images: Images, labels: Int[np.ndarray, " N"] | None) -> Float[np.ndarray, " N"]:
    if "d" not in game.players:
        raise BadInput("this game has no player d: leave the metric out")

    @jax.jit
    def chunk(players, batch):
        blank = game.prior(jax.random.split(jax.random.key(0), BATCH))
        return bind(game, players)["d"].slow(*game.inputs(batch, blank)["d"])

    n, scores = len(images), []
    for first in range(0, n, BATCH):
        rows = np.arange(first, first + BATCH) % n
        batch = {"x": jnp.asarray(images[rows], jnp.float32) / 127.5 - 1}
        scores.append(np.asarray(chunk(state.players, batch if labels is None else batch | {"y": labels[rows]})))
    if scores[0].shape != (BATCH,):
        raise BadInput(f"the discriminator gives {scores[0].shape[1:]} for an image, not a score: leave the metric out")
    return np.concatenate(scores)[:n]
