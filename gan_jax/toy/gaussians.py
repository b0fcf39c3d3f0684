"""Builds GANs on points in the plane, small enough to train ten seeds in minutes, and scored exactly.

`experiments/points.py` has a row for each mixture.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, UInt8

from gan_jax import losses
from gan_jax.config.experiment import Evaluation, Experiment, Phase, RunConfig
from gan_jax.config.flags import Fraction, NonNegativeFloat, PositiveFloat, PositiveInt
from gan_jax.config.registry import Dynamics, Loss, Penalties
from gan_jax.data import Source
from gan_jax.data.sources.toy import MODES, Modes
from gan_jax.engine.dynamics import gradient_play
from gan_jax.engine.game import Game, Latents, Metrics, State
from gan_jax.engine.networks import bind
from gan_jax.errors import BadInput
from gan_jax.games import vanilla
from gan_jax.metrics.mixture_modes import energy_distance, mode_scores
from gan_jax.nets import mlp
from gan_jax.nets.layers.packed import Packed
from gan_jax.penalties import Penalty, terms, weight_at
from gan_jax.sampling.latents import draw_latents
from gan_jax.toy import networks
from gan_jax.viz import scatter2d

SAMPLES = 2500
"""Number of samples scored, as in Lin et al. 2018, "PacGAN"."""

SHOWN = 1000
"""Number of real points, and of samples, in a picture."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Config:
    """The flags of the experiments on points."""

    loss: Loss = losses.relativistic_paired
    """Adversarial loss."""
    penalty: Penalties = (terms.r1(0.1), terms.r2(0.1))
    """Penalties added to the losses."""
    anneal: PositiveFloat = 0.2
    """Factor on the penalties' weights at the end of the schedules, reached geometrically."""
    dynamics: Dynamics = gradient_play
    """Replaces plain gradient play; most dynamics need --simultaneous."""
    simultaneous: bool = False
    """Move both players at once, instead of the discriminator first."""
    pack: PositiveInt = 1
    """Samples per discriminator input (PacGAN)."""
    g_learning_rate: PositiveFloat = 1e-3
    """Learning rate of the generator's Adam, which falls along a cosine to the fraction `floor`."""
    d_learning_rate: PositiveFloat = 2e-3
    """Learning rate of the discriminator's Adam, which falls likewise."""
    floor: NonNegativeFloat = 0.1
    """Fraction of the learning rates left at the end. Not 0: the players circle the equilibrium, and the moving average
    finds its center only while they move."""
    b1: Fraction = 0.0
    """Adam's decay rate of the mean gradient."""
    b2: Fraction = 0.99
    """Adam's decay rate of the mean squared gradient."""
    ema: Fraction = 0.9995
    """Decay rate of the generator's moving average, from which samples are drawn."""
    width: PositiveInt = 64
    """Units of every hidden layer."""
    depth: PositiveInt = 4
    """Hidden layers of the generator; the discriminator has one less."""


def build(source: Source, run: RunConfig, config: Config) -> Experiment:
    """Builds a generator of points against a discriminator, both fully connected, from a latent of two numbers.

    Raises:
        BadInput: the source holds no points in the plane.
    """
    if source.shape != (2,):
        raise BadInput(f"{source.name} has examples of shape {source.shape}, not (2,): give --data ring or spiral")
    steps = -(-run.images // run.batch_size)
    discriminator = mlp.Discriminator((config.depth - 1) * (config.width,))
    turns = vanilla.simultaneous if config.simultaneous else vanilla.alternating

    def adam(learning_rate: PositiveFloat) -> optax.GradientTransformation:
        # eps_root is for dynamics that differentiate through updates.
        schedule = optax.cosine_decay_schedule(learning_rate, steps, alpha=config.floor)
        return optax.adam(schedule, b1=config.b1, b2=config.b2, eps_root=1e-16)

    def annealed(penalty: Penalty) -> Penalty:
        def weight(step: Int[Array, ""]) -> Float[Array, ""]:
            elapsed = jnp.minimum(step / steps, 1)  # a longer run holds the last value
            return weight_at(penalty.weight, step) * jnp.power(config.anneal, elapsed)

        return penalty._replace(weight=weight)

    game = vanilla.game(
        networks.PointGenerator(widths=config.depth * (config.width,)),
        Packed(discriminator, config.pack) if config.pack > 1 else discriminator,
        tx_g=adam(config.g_learning_rate),
        tx_d=adam(config.d_learning_rate),
        z_size=2,
        loss=config.loss,
        penalties=tuple(map(annealed, config.penalty)),
        turns=partial(turns, dynamics=config.dynamics),
        ema=config.ema,
    )
    return Experiment(
        phases=(Phase(game, run.images),),
        common=run,
        evaluation=_of_modes(MODES[source.name]()) if source.name in MODES else _of_points(source),
        preview=partial(preview, source=source, seed=run.seed, pack=config.pack),
    )


def _of_modes(modes: Modes) -> Evaluation:
    """Scores the modes of a mixture; success means every mode, in the right proportions, with few samples between."""

    def scores(nets: Mapping[str, Any], latents: Latents) -> Metrics:
        return mode_scores(nets["g"].ema(latents["z"]), jnp.asarray(modes.centers, jnp.float32), modes.std)

    def success(scores: Mapping[str, float]) -> bool:
        all_modes = scores["modes"] == len(modes.centers)
        return all_modes and scores["high_quality"] >= 0.95 and scores["reverse_kl_modes"] < 0.03

    return Evaluation(scores, SAMPLES, frozenset(("modes", "high_quality")), success)


def _of_points(source: Source) -> Evaluation:
    """Scores the energy distance from real points, for data without known modes."""

    def scores(nets: Mapping[str, Any], latents: Latents) -> Metrics:
        return {"energy_distance": energy_distance(nets["g"].ema(latents["z"]), _real(source, SAMPLES))}

    return Evaluation(scores, SAMPLES)


def preview(game: Game, source: Source, seed: int, pack: int) -> Callable[[State], UInt8[np.ndarray, "H W 3"]]:
    """Returns `draw(state)`: real points, samples, the discriminator's scores and their gradient."""
    drawn = draw_latents(game, jax.random.key(seed), SHOWN)
    real = np.asarray(_real(source, SHOWN))
    extent = scatter2d.extent_of(real)
    fine, coarse = scatter2d.grid_points(extent, 64), scatter2d.grid_points(extent, 16)

    @jax.jit
    def compute(players: dict[str, Any]) -> tuple[Array, Array, Array]:
        nets = bind(game, players)

        def scores(x: Float[Array, "B 2"]) -> Float[Array, " B"]:
            return nets["d"].ema(jnp.repeat(x, pack, axis=0))  # a pack of equal points

        arrows = jax.grad(lambda x: jnp.sum(scores(x)))(jnp.asarray(coarse.reshape(-1, 2)))
        return game.sample(nets, drawn), scores(jnp.asarray(fine.reshape(-1, 2))), arrows

    def draw(state: State) -> UInt8[np.ndarray, "H W 3"]:
        fake, field, arrows = map(np.asarray, compute(state.players))
        return scatter2d.scatter(real, fake, field.reshape(fine.shape[:2]), arrows.reshape(coarse.shape), extent)

    return draw


def _real(source: Source, n: int) -> Float[Array, "n 2"]:
    """Returns `n` real points, always the same, drawn from the whole file because it may be sorted."""
    return jnp.asarray(source.read(np.random.RandomState(0).permutation(source.size)[:n])["x"])


def make_experiment(run: RunConfig, config: Config) -> Callable[..., Experiment]:
    """Makes the function `experiment` of a file without a `PRESETS` table, with these defaults."""

    def experiment(source: Source, common: RunConfig = run, config: Config = config) -> Experiment:
        """Points from a fully connected generator against a fully connected discriminator.

        Args:
            source: The real points, in the plane.
            common: The flags of every experiment.
            config: The flags of the experiments on points.
        """
        return build(source, common, config)

    return experiment
