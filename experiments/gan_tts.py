"""GAN-TTS: sounds from what is said, by whom, and where in the clip, against discriminators of random windows.

    python scripts/fsdd.py fsdd.npz --out fsdd_audio.npz
    gan-jax train gan_tts --data audio:fsdd_audio.npz
    gan-jax sample runs/gan_tts-0 --labels 3 --codes speaker=0,1 length=3000 --out digits.wav

The built-in sounds, `tones`, are the default. Other sounds have labels, and may have a `speaker`. In place of the
paper's linguistic features at 200 Hz, the condition is one-hot label and speaker, and the place in the word
(`audio.word`), at a rate of one frame every product of `ups` samples.
"""

import math
from dataclasses import dataclass

import jax
import optax

from gan_jax import losses
from gan_jax.audio.word import word_features
from gan_jax.cli import train_file
from gan_jax.config.experiment import Experiment, Phase, Row, RunConfig
from gan_jax.config.flags import Fraction, NonNegativeFloat, PositiveFloat, PositiveInt
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

STFT = (64, 128, 256, 512)
"""Windows of the spectral distance."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Config:
    """The flags of the experiment."""

    widths: tuple[PositiveInt, ...] = (64, 64, 48, 24)
    """Channels of the generator's blocks; in the paper 768, 768, 384, 384, 384, 192, 96."""
    ups: tuple[PositiveInt, ...] = (1, 2, 4, 4)
    """Factors by which the blocks raise the rate; in the paper 1, 1, 2, 2, 2, 3, 5."""
    d_width: PositiveInt = 16
    """Channels of the first block of every discriminator; 64 in the paper. They double up to four times as many."""
    base: PositiveInt = 128
    """Samples of a window, times each of --folds; 240 in the paper."""
    folds: tuple[PositiveInt, ...] = (1, 2, 4)
    """Samples side by side that become channels, of each window, which two discriminators judge: conditional and not.
    1, 2, 4, 8, 15 in the paper. With 32, windows of 4,096 samples are whole sounds."""
    spectral_weight: NonNegativeFloat = 0.0
    """Weight, in the generator's loss, of the distance between the spectra of its sounds and of real ones of the same
    condition; the paper has none."""
    shortest: PositiveInt = 2400
    """Samples of the shortest sounds that are drawn."""
    longest: PositiveInt = 4000
    """Samples of the longest sounds that are drawn."""
    loss: Loss = losses.hinge
    """Adversarial loss, summed over the discriminators."""
    g_learning_rate: PositiveFloat = 5e-4
    """Learning rate of the generator."""
    d_learning_rate: PositiveFloat = 1e-3
    """Learning rate of the discriminators."""
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
                d_width=64,
                base=240,
                folds=(1, 2, 4, 8, 15),
                g_learning_rate=5e-5,
                d_learning_rate=1e-4,
                ema=0.9999,
            ),
        },
    ),
}


def build(source: Source, run: RunConfig, config: Config) -> Experiment:
    """Builds the conditional game on windows. Raises `BadInput` unless the data are labeled sounds that fit them."""
    check(source, config)
    data = source if source.spec.keys() >= PLACED.keys() else located(source)
    labels = {"y": Categorical(len(source.classes))} | {
        name: Categorical(len(names)) for name, names in source.labels.items()
    }
    places = {"place": Uniform(0.0, 1.0), "length": Uniform(config.shortest, config.longest)}
    (samples,), hop = source.shape, math.prod(config.ups)
    g, d = nets.networks(samples, config.widths, config.ups, config.base, config.folds, config.d_width)

    def condition(arrays):
        said = [(arrays[name], label.classes) for name, label in labels.items()]
        return word_features(said, arrays["place"], arrays["length"], samples, hop)

    def apart(nets, batch, x_fake, keys, step):
        return spectral_distance(batch["x"], x_fake, STFT)

    def adam(learning_rate: float) -> optax.GradientTransformation:
        return optax.adam(learning_rate, b1=0.0, b2=0.999, eps=1e-6)

    game = vanilla.game(
        g,
        d,
        tx_g=adam(config.g_learning_rate),
        tx_d=adam(config.d_learning_rate),
        z_size=128,
        loss=losses.summed(config.loss),
        penalties=[Penalty(g=apart, weight=config.spectral_weight)] if config.spectral_weight else [],
        ema=config.ema,
    )
    game = conditional.given(game, {**labels, **places}, condition)
    return Experiment((Phase(game, run.images),), run, grid=(5, 10), data=data)


def check(source: Source, config: Config) -> None:
    """Raises `BadInput` unless a source has sounds with labels, of a length that fits the networks."""
    leaf = source.spec.get("x")
    if leaf is None or leaf.modality.name != AUDIO:
        raise BadInput(f"{source.name} has no sounds: give --data tones, or audio:PATH of recordings with labels")
    if not source.classes:
        raise BadInput(f"{source.name} has no labels: give --data tones, or recordings with labels")


if __name__ == "__main__":
    train_file(__file__)
