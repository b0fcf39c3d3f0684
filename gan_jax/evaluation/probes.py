"""Probes of a trained game: samples as they are stored, features along latent paths, the discriminator's logits.

Everything runs in full float32: reduced matmul precision would make scores depend on the device, and path lengths
meaningless.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from gan_jax import priors
from gan_jax.data.modality import Modality
from gan_jax.engine.game import Game, State
from gan_jax.engine.keys import named_key
from gan_jax.engine.networks import bind
from gan_jax.errors import BadInput
from gan_jax.evaluation.inputs import LabeledExamples, Probes
from gan_jax.metrics.features.network import BATCH, FeatureNet, extract
from gan_jax.priors import Categorical
from gan_jax.priors.interpolation import slerp
from gan_jax.sampling.latents import draw_latents
from gan_jax.sampling.sampler import sampler

Drawer = Callable[[State, int], LabeledExamples]
"""`draw(state, n)`."""


def sample_drawer(game: Game, key: Key[Array, ""], kind: Modality, classes: tuple[str, ...]) -> Drawer:
    """Returns `draw(state, n)`, compiled once: the samples of a kind that `gan-jax sample --seed` draws, as stored.

    Labels are those of a conditional game, with the names `classes`, or else the values of the first categorical code,
    whose classes have no names.
    """
    draw = sampler(game)

    def samples(state: State, n: int) -> LabeledExamples:
        latents = draw_latents(game, key, n)
        with jax.default_matmul_precision("highest"):
            examples = kind.store(draw(state, latents))
        codes = {name: np.asarray(latents[name]) for name, code in game.codes.items() if isinstance(code, Categorical)}
        first = next(iter(codes), None)
        labels = codes.pop(first, None)
        return LabeledExamples(examples, labels, classes if first == "y" else (), kind, codes)

    return samples


def drawing_protocol(game: Game, checkpoint: str, seed: int) -> dict[str, Any]:
    """Describes how samples are drawn: the checkpoint, EMA or raw parameters, and the seed."""
    averaged = any(player.ema for player in game.players.values())
    return {"checkpoint": checkpoint, "network": "moving average" if averaged else "as trained", "seed": seed}


def make_probes(game: Game, key: Key[Array, ""], net: FeatureNet) -> Callable[[State], Probes]:
    """Returns `probes(state)`; networks are compiled once, on first use."""
    draw, score = sampler(game), _scorer(game)

    def path(state: State, n: int, epsilon: float) -> tuple[Float[np.ndarray, "n D"], Float[np.ndarray, "n D"]]:
        start, end = (draw_latents(game, named_key(key, name), n) for name in ("path start", "path end"))

        def features(z: Float[Array, "n Z"]) -> Float[np.ndarray, "n D"]:
            # Not rounded to 8 bits, which would make consecutive images on a path equal.
            with jax.default_matmul_precision("highest"):
                return extract(net, 127.5 * (draw(state, start | {"z": z}) + 1)).features

        here, there = path_ends(named_key(key, "path place"), start["z"], end["z"], epsilon)
        return features(here), features(there)

    return lambda state: Probes(
        path=lambda n, epsilon: path(state, n, epsilon), scores=lambda labeled: score(state, labeled)
    )


def _scorer(game: Game) -> Callable[[State, LabeledExamples], Float[np.ndarray, " N"]]:
    """Returns `score(state, labeled)`: the logits of the discriminator's EMA, `BATCH` examples at a time.

    The discriminator is the player who receives the real examples: the game's clock.
    """

    @jax.jit
    def chunk(players, batch, blank):
        output = bind(game, players)[game.clock].ema(*game.inputs(batch, blank)[game.clock])
        return output[0] if isinstance(output, tuple) else output  # some discriminators return class logits as well

    def score(state: State, labeled: LabeledExamples) -> Float[np.ndarray, " N"]:
        blank = priors.draw(game.prior, jax.random.split(jax.random.key(0), BATCH))
        if "y" in blank and labeled.labels is None:
            raise BadInput("the discriminator needs labels, and the images have none: leave the metric out")
        n, scores = len(labeled.examples), []
        for first in range(0, n, BATCH):
            rows = np.arange(first, first + BATCH) % n
            labels = labeled.others | ({} if labeled.labels is None else {"y": labeled.labels})
            batch = {name: jnp.asarray(each[rows], jnp.int32) for name, each in labels.items()}
            batch["x"] = labeled.kind.decode(jnp.asarray(labeled.examples[rows]))
            with jax.default_matmul_precision("highest"):
                scores.append(np.asarray(chunk(state.players, batch, blank)))
        if scores[0].shape != (BATCH,):
            raise BadInput("the discriminator does not give one score per example: leave the metric out")
        return np.concatenate(scores)[:n]

    return score


def path_ends(
    key: Key[Array, ""], z0: Float[Array, "N Z"], z1: Float[Array, "N Z"], epsilon: float
) -> tuple[Float[Array, "N Z"], Float[Array, "N Z"]]:
    """Draws t uniformly in [0, 1) and returns `slerp(z0, z1, t)` and `slerp(z0, z1, t + epsilon)`, pair by pair.

    StyleGAN interpolates between normalized latents; here each pair keeps its own length.
    """
    t = jax.random.uniform(key, z0.shape[:1], z0.dtype)
    return slerp(z0, z1, t), slerp(z0, z1, t + epsilon)
