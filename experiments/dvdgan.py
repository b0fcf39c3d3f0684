"""DVD-GAN on videos: a generator with convolutional recurrence against two discriminators, of frames and of motion.

    gan-jax train dvdgan                                         # moving digits, by class
    gan-jax train dvdgan --no-temporal                           # or --no-spatial: against one of the two
    gan-jax train nextframe                                      # 11 frames predicted from 5
    gan-jax train nextframe --no-spatial --no-temporal           # the same network on the squared error alone
    gan-jax train dvdgan --data video:clips/ --no-conditional --image-size 64
    gan-jax sample runs/dvdgan-0 --labels 3 8 --out samples.gif

A row of `PRESETS` is the paper's DVD-GAN or its DVD-GAN-FP. `--preset small` is narrow and short, so it learns at
higher rates.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import optax

from gan_jax import losses
from gan_jax.cli import train_file
from gan_jax.config.experiment import Evaluation, Experiment, Phase, Row, RunConfig
from gan_jax.config.flags import Fraction, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from gan_jax.config.registry import Loss
from gan_jax.data import Source, derived
from gan_jax.engine.game import Latents
from gan_jax.errors import BadInput
from gan_jax.games import dvdgan
from gan_jax.nets.dvdgan import networks


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Config:
    """The flags of every row."""

    conditional: bool = True
    """Whether all networks take the label; not for predictions."""
    given: NonNegativeInt = 0
    """Number of first frames that the generator is given, to predict the others; 0 for none."""
    spatial: bool = True
    """Whether there is a discriminator of single frames."""
    temporal: bool = True
    """Whether there is a discriminator of motion."""
    seen: PositiveInt = 2
    """Number of frames of a video that the spatial discriminator sees, drawn anew for every video; the paper's is 8."""
    loss: Loss = losses.hinge
    """Adversarial loss."""
    distance_weight: NonNegativeFloat = 0.0
    """Weight of the squared error, in predictions."""
    g_width: PositiveInt = 6
    """Channels of the generator's maps at full size; every halving doubles them, up to 16 times."""
    d_width: PositiveInt = 12
    """Channels of the discriminators' maps at half the size of the videos; every halving doubles them."""
    blocks: PositiveInt = 1
    """Residual blocks after each recurrent layer, the last of which doubles the size; the paper's two."""
    base: PositiveInt = 8
    """Side in pixels of the smallest maps, at most; the paper's 4."""
    z_size: PositiveInt = 120
    """Length of the standard normal latent."""
    g_learning_rate: PositiveFloat = 5e-4
    """Learning rate of the generator."""
    d_learning_rate: PositiveFloat = 1e-3
    """Learning rate of the discriminators."""
    b1: Fraction = 0.0
    """Adam's decay rate of the mean gradient."""
    b2: Fraction = 0.99
    """Adam's decay rate of the mean squared gradient."""
    n_critic: PositiveInt = 1
    """Turns of the discriminators per turn of the generator."""
    ema: Fraction = 0.99
    """Decay rate of the generator's moving average, from which samples are drawn; 0 for none."""


RUN = RunConfig(20_000, batch_size=8, data="moving:mnist5k", log_every=20, sample_every=200, checkpoint_every=400)
PAPER = {
    "seen": 8,
    "blocks": 2,
    "base": 4,
    "g_learning_rate": 1e-4,
    "d_learning_rate": 5e-4,
    "b2": 0.999,
    "n_critic": 2,
}

PRESETS = {
    "dvdgan": Row(
        "DVD-GAN, Clark 2019 (arXiv:1907.06571): videos, against discriminators of frames and of motion",
        RUN,
        {"small": Config(), "full": Config(**PAPER, g_width=32, d_width=64, ema=0.9999)},
    ),
    "nextframe": Row(
        "DVD-GAN-FP, Clark 2019 (arXiv:1907.06571): the frames of a video predicted from the first ones",
        RUN,
        {
            "small": Config(conditional=False, given=5, distance_weight=10.0),
            "full": Config(conditional=False, given=5, **PAPER, g_width=32, d_width=64, ema=0.9999),
        },
    ),
}


def build(source: Source, run: RunConfig, config: Config) -> Experiment:
    """Builds the game on videos. Raises `BadInput` if it needs labels and the data has none, or there is no loss."""
    if config.conditional and config.given:
        raise BadInput("predictions take no labels: give --no-conditional")
    if config.conditional and not source.classes:
        raise BadInput(f"{source.name} has no labels: give --no-conditional, or folders of classes")
    if not (config.spatial or config.temporal or (config.given and config.distance_weight)):
        raise BadInput("there is no loss to learn from: leave out --no-spatial or --no-temporal")
    classes = len(source.classes) if config.conditional else 0
    g, spatial, temporal = networks(
        source.shape,
        classes=classes,
        given=config.given,
        seen=config.seen,
        g_width=config.g_width,
        d_width=config.d_width,
        blocks=config.blocks,
        base=config.base,
    )
    chosen = {"d_s": (config.spatial, spatial), "d_t": (config.temporal, temporal)}
    game = dvdgan.game(
        g,
        {name: d for name, (plays, d) in chosen.items() if plays},
        tx_g=optax.adam(config.g_learning_rate, b1=config.b1, b2=config.b2),
        tx_d=optax.adam(config.d_learning_rate, b1=config.b1, b2=config.b2),
        z_size=config.z_size,
        classes=classes,
        conditions=("a",) if config.given else (),
        distance_weight=config.distance_weight,
        loss=config.loss,
        n_critic=config.n_critic,
        ema=config.ema,
    )
    phases = (Phase(game, run.images),)
    if not config.given:
        return Experiment(phases, run, grid=(5, 2))
    data = derived.first_frames(source, config.given)
    return Experiment(phases, run, grid=(3, 2), data=data, evaluation=Evaluation(prediction, samples=64))


def prediction(nets, latents: Latents) -> dict[str, jax.Array]:
    """Computes the scores of predicted frames, as `metrics.prediction`, over all steps ahead.

    `error_copy` is the squared error of the last given frame, copied.
    """
    given, x = latents["a"], (latents["x"] + 1) / 2
    made = (jnp.clip(nets["g"].ema(latents["z"], None, given), -1, 1) + 1) / 2
    target, made = (videos[:, given.shape[1] :] for videos in (x, made))
    last = x[:, given.shape[1] - 1 : given.shape[1]]

    def error(frames: jax.Array) -> jax.Array:
        return jnp.square(frames - target).sum((2, 3, 4)).mean()

    def energy(frames: jax.Array) -> jax.Array:
        return sum(jnp.square(jnp.diff(frames, axis=axis)).mean() for axis in (2, 3))

    return {"error": error(made), "error_copy": error(last), "sharpness": energy(made) / energy(target)}


if __name__ == "__main__":
    train_file(__file__)
