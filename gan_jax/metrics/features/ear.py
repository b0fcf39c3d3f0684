"""The ear: a small classifier of sounds, whose features are those of scores of sounds.

A log-mel spectrogram, of which only what is within 60 dB of a sine at full level counts, so that silence and faint
noise are the same; four 3 x 3 convolutions to 16, 32, 48 and 64 maps, `SAME`, each with SiLU and, but for the last, 2 x
2 means; means over time of every map and band, so that it hears the same wherever a sound begins; a Dense layer of 64
units with SiLU, whose activations are the features; a Dense head with dropout.

`tones`, `spoken_digits` and `speakers` are in the package, trained by `scripts/train_ear.py`; the docstring of that
script states the protocol and the test accuracies. Scores on the features of one are not comparable with scores on
those of another.
"""

import functools
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from jaxtyping import Array, Float, Float32, Int, Key

from gan_jax.audio import log_mel
from gan_jax.data.modality import audio
from gan_jax.data.source import Examples, Source
from gan_jax.engine.game import Keys
from gan_jax.engine.keys import split, uniform
from gan_jax.errors import BadInput
from gan_jax.metrics.features import weights_file
from gan_jax.metrics.features.classifier import pooled
from gan_jax.metrics.features.fitting import BATCH, check_labels, fit
from gan_jax.metrics.features.network import FeatureNet
from gan_jax.metrics.features.weights_file import Params
from gan_jax.nets.layers.convolution import Conv
from gan_jax.nets.layers.dropout import Dropout

BANDS = 40
RANGE = np.float32(np.log(1e3))
"""What counts below a sine at full level: 60 dB."""

WIDTHS = (16, 32, 48, 64)
FEATURES = 64

GAIN, NOISE = (0.25, 1.0), (1e-4, 1e-2)
"""In training, the factors of sounds, and standard deviations of white noise added, uniform on a logarithmic scale."""

Sounds = Float32[Array, "B T"]
"""Sounds in [-1, 1]."""


class Ear(nn.Module):
    """Sounds `[B, T]` of `rate` samples a second to logits `[B, classes]`: `head(features(x))`."""

    classes: int
    rate: int

    def setup(self) -> None:
        """Creates the layers."""
        init = nn.initializers.he_normal()
        self.convs = [Conv(width, 3, kernel_init=init) for width in WIDTHS]
        self.dense, self.dropout, self.out = nn.Dense(FEATURES, kernel_init=init), Dropout(0.25), nn.Dense(self.classes)

    def features(self, x: Sounds) -> Float[Array, "B 64"]:
        """Computes the activations of the last hidden layer."""
        y = levels(x, self.rate)[..., None]
        for conv in self.convs[:-1]:
            y = pooled(nn.silu(conv(y)))
        y = nn.silu(self.convs[-1](y)).mean(1)
        return nn.silu(self.dense(y.reshape(y.shape[0], -1)))

    def head(self, features: Float[Array, "B 64"], keys: Keys | None = None) -> Float[Array, "B K"]:
        """Computes logits from features; `keys`, one per example, turn dropout on."""
        return self.out(self.dropout(features, keys))

    def __call__(self, x: Sounds, keys: Keys | None = None) -> Float[Array, "B K"]:
        """Computes logits from sounds."""
        return self.head(self.features(x), keys)


def levels(x: Sounds, rate: int) -> Float[Array, "B frames bands"]:
    """Computes log-mel spectrograms, from 0 at 60 dB below a sine at full level to about 1 at it.

    Frames are about 32 ms long, the next power of two in samples, and overlap by half.
    """
    window = 2 ** round(np.log2(0.032 * rate))
    full = np.log(np.float32(window / 4))
    return jnp.maximum(1 + (log_mel(x, rate, window, window // 2, BANDS) - full) / RANGE, 0)


def train_ear(source: Source, key: Key[Array, ""], epochs: int) -> Params:
    """Trains an `Ear` on sounds `x` with labels `y`, as the source decodes them, at random levels and in faint noise.

    Raises:
        BadInput: there are fewer than 128 sounds, or they have no labels.
    """
    examples: Examples = source.read(np.arange(source.size))
    check_labels(examples.get("y", np.zeros(0, np.int32)), source.size, len(source.classes), "sounds")
    network = Ear(len(source.classes), source.spec["x"].modality.rate)

    def loss(params: Params, data: dict[str, Array], rows: Int[Array, " B"], key: Key[Array, ""]) -> Float[Array, ""]:
        decoding, gain, noise, drops = split(jax.random.split(key, BATCH), 4)
        batch = source.decode({name: array[rows] for name, array in data.items()}, decoding)
        logits = network.apply({"params": params}, disturbed(batch["x"], gain, noise), drops)
        return optax.softmax_cross_entropy_with_integer_labels(logits, batch["y"]).mean()

    start, *passes = jax.random.split(key, 1 + epochs)
    silence = jnp.zeros((1, *source.shape), jnp.float32)
    params = jax.jit(network.init)(start, silence)["params"]
    return fit(loss, params, jax.tree.map(jnp.asarray, examples), source.size, passes)


def disturbed(x: Sounds, gain: Keys, noise: Keys) -> Sounds:
    """Scales every sound by a factor, and adds white noise, of a level of its own."""
    level, loudness = (jnp.exp(_log_uniform(keys, *ends)) for keys, ends in ((gain, GAIN), (noise, NOISE)))
    white = jax.vmap(lambda key: jax.random.normal(jax.random.fold_in(key, 1), x.shape[1:], jnp.float32))(noise)
    return level[:, None] * x + loudness[:, None] * white


def _log_uniform(keys: Keys, low: float, high: float) -> Float[Array, " B"]:
    return np.float32(np.log(low)) + np.float32(np.log(high / low)) * uniform(keys)


SCRIPT = "train_ear"


def save(path: str | Path, name: str, classes: tuple[str, ...], params: Params, rate: int, length: int) -> str:
    """Writes an ear for sounds of `length` samples and returns the sha256 of the file."""
    about = {"rate": np.array(rate, np.int32), "length": np.array(length, np.int32)}
    return weights_file.write(path, name, classes, params, about)


def load(path: str | Path, sha256: str | None = None) -> FeatureNet:
    """Loads an ear from a file written by `save`.

    Raises:
        BadInput: the file cannot be read, has another sha256 than the one given, or holds no ear.
    """
    file = weights_file.read(path, SCRIPT, sha256)
    rate, length = (int(file.about.get(name, 0)) for name in ("rate", "length"))
    if min(rate, length) < 1:
        raise BadInput(f"{path} holds no ear: write it with scripts/{SCRIPT}.py")
    sound = jax.ShapeDtypeStruct((1, length), jnp.float32)
    expected = jax.eval_shape(Ear(len(file.classes), rate).init, jax.random.key(0), sound)["params"]
    params = weights_file.params_of(file, expected, SCRIPT)
    resize = f"none, for {length} samples; divided by 32767"
    apply, head = _functions(len(file.classes), rate, length)
    return FeatureNet(file.name, file.sha256, resize, params, apply, head, file.classes, audio(rate))


@functools.cache
def _functions(classes: int, rate: int, length: int) -> tuple[Callable, Callable]:
    """Returns features and head of ears of a size: the same functions for each, so that they are compiled once."""
    network = Ear(classes, rate)

    def features(params: Params, values: Float[Array, "B ..."]) -> Float[Array, "B 64"]:
        if values.shape[1:] != (length,):
            found = ", ".join(map(str, values.shape[1:]))
            raise BadInput(f"this ear takes sounds [N, {length}], not [N, {found}]: cut them, or train another one")
        return network.apply({"params": params}, values * np.float32(1 / 32767), method="features")

    def head(params: Params, features: Float[Array, "B 64"]) -> Float[Array, "B K"]:
        return network.apply({"params": params}, features, method="head")

    return features, head


def wrote(path: Path) -> bool:
    """Whether a file is one of `save`. Raises `BadInput` if it holds no weights."""
    return "rate" in weights_file.read(path, SCRIPT).about


WEIGHTS = Path(__file__).parent / "weights"

SHA256 = {
    "tones": "d40bd0bea4476f3c4e12333e1d8ea9e10122f03d4611313c867a72b68bfc1ebe",
    "spoken_digits": "7a4fe574d1f1d517b75adeabb581a02aa8642324179e4879f34ea9cf860799e9",
    "speakers": "a73d3a132c28d034197c482d840a69ef5f3613ea8d3517fcfe60fdd663bf3d9f",
}
"""The sha256 of the files in `WEIGHTS`: other weights would give other scores under the same name."""


def tones() -> FeatureNet:
    """Loads the ear for the kinds of `tones`, `[N, 4096]` at 8,000 Hz: 10 classes. Raises `BadInput` as `load`."""
    return _in_package("tones")


def spoken_digits() -> FeatureNet:
    """Loads the ear for English digits, `[N, 4096]` at 8,000 Hz: 10 classes. Raises `BadInput` as `load`."""
    return _in_package("spoken_digits")


def speakers() -> FeatureNet:
    """Loads the ear for who says those digits, the label `speaker`: 6 classes. Raises `BadInput` as `load`."""
    return _in_package("speakers")._replace(label="speaker")


def _in_package(name: str) -> FeatureNet:
    return load(WEIGHTS / f"{name}.npz", SHA256[name])
