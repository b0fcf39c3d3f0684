"""Sounds from networks of samples, WaveGAN, and from networks of spectrograms, SpecGAN.

    gan-jax train specgan --conditional
    gan-jax train wavegan --data audio:fsdd_audio.npz             # spoken digits, a file of scripts/fsdd.py
    gan-jax train wavegan --data audio=16384:sc09/ --preset full --batch-size 64 --images 64000000   # for accelerators
    gan-jax sample runs/specgan-0 --labels 3 7 --out digits.wav

Both papers' networks are unconditional. With `--conditional` the label is concatenated with the latent, chooses gains
and biases of the generator's batch norm, and adds a projection to the discriminator. `--preset full` has the paper's
widths, WGAN-GP and turns, but for normal latents in place of uniform ones. `small` is narrow and learns fast: hinge
loss, spectral norm in the discriminator, batch norm in the generator, neither of which the paper has.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Literal

import jax
import jax.numpy as jnp
import optax
from tyro.conf import Fixed

from gan_jax import losses
from gan_jax.audio.log_spectrogram import from_log_spectrogram, log_spectrogram
from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, Row, RunConfig
from gan_jax.config.flags import Fraction, NonNegativeInt, PositiveFloat, PositiveInt
from gan_jax.config.registry import Loss, Penalties
from gan_jax.data import Source
from gan_jax.data.modality import AUDIO
from gan_jax.data.moments import Moments, moments
from gan_jax.engine.game import Game, Keys, turn
from gan_jax.errors import BadInput
from gan_jax.games import conditional, vanilla
from gan_jax.games.encoded import Representation, encoded
from gan_jax.nets import wavegan
from gan_jax.nets.pair import unsupported
from gan_jax.penalties import terms

FLOOR = 1e-2
"""Lowest magnitude in a spectrogram: 70 dB below a sine at full level in frames of 128 samples."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Config:
    """The flags of every row."""

    play: Fixed[Callable[[Source, "Config"], Game]]
    conditional: bool = False
    """Give both networks the label."""
    loss: Loss = losses.hinge
    """Adversarial loss."""
    penalty: Penalties = ()
    """Penalties added to the losses."""
    width: PositiveInt = 16
    """Maps of the generator's last hidden layer and of the discriminator's first; the paper has 64."""
    g_norm: Literal["batch", "none"] = "batch"
    """Normalization in the generator."""
    d_norm: Literal["spectral", "none"] = "spectral"
    """Normalization in the discriminator."""
    phase_shuffle: NonNegativeInt = 2
    """Samples by which the discriminator's maps of a sound are shifted at most; 0 for none. Not for spectrograms."""
    learning_rate: PositiveFloat = 5e-4
    """Learning rate of both players."""
    b1: Fraction = 0.5
    """Adam's decay rate of the mean gradient."""
    b2: Fraction = 0.9
    """Adam's decay rate of the mean squared gradient."""
    n_critic: PositiveInt = 1
    """Discriminator turns per generator turn."""
    ema: Fraction = 0.999
    """Decay rate of the generator's moving average, from which samples are drawn; 0 for none."""


def on_sounds(source: Source, config: Config) -> Game:
    """Builds the game of WaveGAN."""
    return game(source.shape, source, config)


def on_spectrograms(source: Source, config: Config) -> Game:
    """Builds the game of SpecGAN."""
    representation = spectrograms(source)
    return encoded(game(representation.shape, source, config), representation)


def spectrograms(source: Source) -> Representation:
    """Represents sounds by log-magnitude spectrograms, nearly square, in [-1, 1].

    Every frequency is normalized to mean 0 and deviation 1 over the training data, and cut off at three deviations
    (sec. 2.2). 4,096 samples at 8,000 Hz are 64 frames of 64 frequencies, from windows as long as the paper's: 16 ms.
    """
    [length] = source.shape
    hop = 2 ** ((length.bit_length() - 1) // 2)
    levels = partial(log_spectrogram, hop=hop, floor=FLOOR)

    def scale(statistics: Moments) -> jax.Array:
        return jnp.maximum(3 * statistics.deviation, 1e-3)[None, None]

    def encode(statistics: Moments, x: jax.Array) -> jax.Array:
        return jnp.clip((levels(x) - statistics.mean[None, None]) / scale(statistics), -1, 1)

    def decode(statistics: Moments, encoded: jax.Array, keys: Keys) -> jax.Array:
        return from_log_spectrogram(scale(statistics) * encoded + statistics.mean[None, None], keys)

    bins = jax.ShapeDtypeStruct((hop,), jnp.float32)
    return Representation(
        (length // hop, hop), encode, decode, cache(partial(moments, source, levels)), Moments(bins, bins)
    )


def game(shape: tuple[int, ...], source: Source, config: Config) -> Game:
    """Builds the original game, or the conditional one, on examples of `shape`."""
    g, d = wavegan.pair(
        shape,
        config.width,
        len(source.classes) if config.conditional else 0,
        shuffle=config.phase_shuffle,
        norm=config.g_norm == "batch",
        spectral=config.d_norm == "spectral",
    )
    tx = optax.adam(config.learning_rate, b1=config.b1, b2=config.b2)
    make = partial(conditional.game, classes=len(source.classes)) if config.conditional else vanilla.game
    return make(
        g,
        d,
        tx,
        tx,
        loss=config.loss,
        penalties=config.penalty,
        turns=lambda d, g: config.n_critic * (turn(d),) + (turn(g),),
        ema=config.ema,
    )


def presets(play: Callable[[Source, Config], Game], **small: object) -> dict[str, Config]:
    """Makes the two presets of a row: narrow, and the paper's (app. D)."""
    paper = Config(
        play,
        loss=losses.wasserstein,
        penalty=(terms.gradient_penalty(10.0),),
        width=64,
        g_norm="none",
        d_norm="none",
        learning_rate=1e-4,
        n_critic=5,
        ema=0.0,
    )
    return {"small": replace(Config(play), **small), "full": paper}


RUN = RunConfig(80_000, batch_size=32, data="tones", checkpoint_every=1000, sample_every=500)

PRESETS = {
    "wavegan": Row(
        "WaveGAN, Donahue 2019 (arXiv:1802.04208): sounds by convolutions of 25 samples, phase shuffle",
        RUN,
        presets(on_sounds),
    ),
    "specgan": Row(
        "SpecGAN, Donahue 2019 (arXiv:1802.04208): sounds by normalized spectrograms, inverted by Griffin-Lim",
        RUN,
        presets(on_spectrograms),
    ),
}


def build(source: Source, run: RunConfig, config: Config) -> Experiment:
    """Builds the game of a row.

    Raises:
        BadInput: the data are no sounds, have another length than a power of 2, or lack labels.
    """
    x = source.spec.get("x")
    if x is None or x.modality.name != AUDIO:
        raise BadInput(f"this game makes sounds, and {source.name} has none: give --data tones, or audio:sounds/")
    if (length := source.shape[0]) < 64 or length.bit_count() > 1:
        raise unsupported(source.shape, wavegan.LENGTHS)
    if config.conditional and not source.classes:
        raise BadInput(f"{source.name} has no labels: leave out --conditional, or give a folder of class folders")
    return Experiment((Phase(config.play(source, config), run.images),), run, grid=(4, 10))


if __name__ == "__main__":
    train_file(__file__)
