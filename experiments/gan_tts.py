"""GAN-TTS: sounds from what is said, by whom, and where in the clip, against discriminators of random windows.

    python scripts/fsdd.py fsdd.npz --out fsdd_audio.npz
    gan-jax train gan_tts --data audio:fsdd_audio.npz
    gan-jax sample runs/gan_tts-0 --labels 3 --codes speaker=0,1 length=3000 --out threes.wav

The data are sounds with labels `y`; they may have further labels, such as `speaker`. In place of the paper's linguistic
features at 200 Hz, the condition is one-hot labels, the place in the word, and waves, at a rate of one frame every
product of `ups` samples: see `audio.word`.

The paper's game is adversarial alone, with batches of 1,024 for a million steps. `--preset small` has not the
thousandth of that: its generator first learns on the distance of spectra alone, and keeps that term against the
discriminators. `--preset full` is the paper's, for sounds of a multiple of 120 samples, such as `audio=48000:speech/`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import jax
import optax
from jaxtyping import Array

from gan_jax import losses
from gan_jax.audio.word import word_features
from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, Row, RunConfig
from gan_jax.config.flags import Fraction, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, Share
from gan_jax.config.registry import Loss
from gan_jax.data import Source
from gan_jax.data.modality import AUDIO
from gan_jax.data.sources.recordings import PLACED, located
from gan_jax.errors import BadInput
from gan_jax.games import conditional, vanilla
from gan_jax.losses.spectral import spectral_distance
from gan_jax.nets import gan_tts as nets
from gan_jax.penalties import Penalty
from gan_jax.priors import Categorical, Uniform

WINDOWS = (64, 128, 256, 512)
"""Samples of the windows whose spectra are compared."""
Z = 128
"""Size of the latent."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Config:
    """The flags of the experiment."""

    widths: tuple[PositiveInt, ...] = (96, 64, 32, 16)
    """Channels of the generator's blocks; in the paper 768, 768, 384, 384, 384, 192, 96."""
    ups: tuple[PositiveInt, ...] = (1, 2, 4, 4)
    """Factors by which the blocks raise the rate; in the paper 1, 1, 2, 2, 2, 3, 5."""
    waves: NonNegativeInt = 32
    """Frequencies of the sines and cosines in the features; the paper has none, but features of the pitch."""
    d_width: PositiveInt = 16
    """Channels of the first block of every discriminator; 64 in the paper. They double up to four times as many."""
    base: PositiveInt = 128
    """Samples of a window, times each of --folds; 240 in the paper."""
    folds: tuple[PositiveInt, ...] = (1, 2, 4)
    """Samples side by side that become channels, of each window, which two discriminators judge: conditional and not.
    1, 2, 4, 8, 15 in the paper. With 32, windows of 4,096 samples are whole sounds."""
    spectral: Share = 0.5
    """Share of the sounds for a first phase of the generator alone, on the distance of its spectra from those of the
    real sounds of the same condition; the paper has none."""
    spectral_weight: NonNegativeFloat = 20.0
    """Weight of that distance in the second phase, beside the adversarial loss; 0 in the paper."""
    shortest: PositiveInt = 2400
    """Length in samples of the shortest sounds that are drawn."""
    longest: PositiveInt = 4000
    """Length in samples of the longest sounds that are drawn."""
    loss: Loss = losses.hinge
    """Adversarial loss, summed over the discriminators."""
    g_learning_rate: PositiveFloat = 2e-3
    """Learning rate of the generator."""
    d_learning_rate: PositiveFloat = 1e-3
    """Learning rate of the discriminators."""
    b1: Fraction = 0.0
    """Adam's decay rate of the mean gradient."""
    ema: Fraction = 0.999
    """Decay rate of the generator's moving average, from which samples are drawn; 0 for none."""


PRESETS = {
    "gan_tts": Row(
        "GAN-TTS, Binkowski 2020 (arXiv:1909.11646): speech from features, discriminators of random windows",
        RunConfig(128_000, batch_size=16, data="tones", checkpoint_every=1000, sample_every=500),
        {
            "small": Config(),
            "full": Config(
                widths=(768, 768, 384, 384, 384, 192, 96),
                ups=(1, 1, 2, 2, 2, 3, 5),
                waves=0,
                d_width=64,
                base=240,
                folds=(1, 2, 4, 8, 15),
                spectral=0.0,
                spectral_weight=0.0,
                shortest=24_000,
                longest=48_000,
                g_learning_rate=5e-5,
                d_learning_rate=1e-4,
                ema=0.9999,
            ),
        },
    ),
}


def build(source: Source, run: RunConfig, config: Config) -> Experiment:
    """Builds both phases. Raises `BadInput` unless the data are labeled sounds that fit the networks."""
    leaf = source.spec.get("x")
    if leaf is None or leaf.modality.name != AUDIO or not source.classes:
        has = f"{source.name} has {'no labels' if leaf and leaf.modality.name == AUDIO else 'no sounds'}"
        raise BadInput(f"{has}: give --data tones, or audio:PATH of sounds with labels")
    if config.shortest > config.longest:
        raise BadInput(f"--shortest {config.shortest} is longer than --longest {config.longest}: exchange them")
    (samples,), hop = source.shape, math.prod(config.ups)
    g, d = nets.networks(samples, config.widths, config.ups, config.base, config.folds, config.d_width)
    labels = {"y": source.classes, **source.labels}
    prior = {name: Categorical(len(classes)) for name, classes in labels.items()} | {
        "place": Uniform(0.0, 1.0),
        "length": Uniform(float(config.shortest), float(config.longest)),
    }

    def condition(arrays: Mapping[str, Array]) -> Array:
        said = [(arrays[name], len(classes)) for name, classes in labels.items()]
        return word_features(said, arrays["place"], arrays["length"], samples, hop, config.waves)

    def apart(x: Array, x_fake: Array) -> Array:
        return spectral_distance(x, x_fake, WINDOWS)

    def adam(learning_rate: float) -> optax.GradientTransformation:
        return optax.adam(learning_rate, b1=config.b1, b2=0.999, eps=1e-6)

    tx_g, tx_d = adam(config.g_learning_rate), adam(config.d_learning_rate)
    penalty = Penalty(
        g=lambda nets, batch, x_fake, keys, step: apart(batch["x"], x_fake), weight=config.spectral_weight
    )
    plain = vanilla.game(
        g,
        d,
        tx_g=tx_g,
        tx_d=tx_d,
        z_size=Z,
        loss=losses.summed(config.loss),
        penalties=(penalty,) if config.spectral_weight else (),
        ema=config.ema,
    )
    first = conditional.regression(g, tx_g, prior, condition, distance=apart, z_size=Z, ema=config.ema)
    alone = round(config.spectral * run.images)
    phases = [(first, alone), (conditional.given(plain, prior, condition), run.images - alone)]
    return Experiment(
        tuple(Phase(game, images) for game, images in phases if images),
        run,
        grid=(5, 10),
        data=source if source.spec.keys() >= PLACED.keys() else located(source),
    )


if __name__ == "__main__":
    train_file(__file__)
