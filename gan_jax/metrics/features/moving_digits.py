"""The feature network of videos: tells the digit that moves in a clip, and where it moves to.

Every frame passes a 5 x 5 convolution to 12 maps; then, twice, a 3 x 3 x 3 convolution, to 24 and to 48 maps, and means
of two frames. All convolutions are `SAME` in space and time, with stride 2 in space and SiLU. A Dense layer of 64 units
at every place, with SiLU, and its means over places give a clip four moments of 64 values; a Dense layer of 64 units
with SiLU makes of these the features. Two Dense heads, with dropout, are trained on them: the digit, whose classes are
those of the network, and the direction of motion at the beginning of each quarter, one of eight.

Tran et al. 2015, "Learning spatiotemporal features with 3D convolutional networks", https://arxiv.org/abs/1412.0767;
Unterthiner et al. 2018, "Towards accurate generative models of video", https://arxiv.org/abs/1812.01717, take the
Frechet distance of such features. `scripts/train_moving_digits.py` trained the weights in the package (0.2 MB); its
docstring states the protocol and the test accuracies.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from jaxtyping import Array, Float, Int, Key

from gan_jax.data.modality import VIDEO
from gan_jax.data.moving import FRAMES, SIDE
from gan_jax.data.source import Source
from gan_jax.engine.game import Keys
from gan_jax.engine.keys import split
from gan_jax.errors import BadInput
from gan_jax.metrics.features import weights_file
from gan_jax.metrics.features.fitting import BATCH, check_labels, fit
from gan_jax.metrics.features.network import FeatureNet
from gan_jax.metrics.features.weights_file import Params
from gan_jax.nets.layers.convolution import Conv
from gan_jax.nets.layers.dropout import Dropout

MOMENTS, DIRECTIONS = 4, 8
SHAPE = (FRAMES, SIDE, SIDE, 1)
CLASSES = tuple("0123456789")

Clips = Float[Array, "B T H W C"]


class MovingDigits(nn.Module):
    """Clips `[B, T, H, W, 1]` in [0, 1] to logits of the digit `[B, 10]` and of four directions `[B, 4, 8]`."""

    def setup(self) -> None:
        """Creates the layers."""
        init = nn.initializers.he_normal()
        self.conv1, self.conv2, self.conv3 = (
            Conv(width, size, stride=2, kernel_init=init) for width, size in ((12, 5), (24, 3), (48, 3))
        )
        self.place, self.dense = nn.Dense(64, kernel_init=init), nn.Dense(64, kernel_init=init)
        self.dropout, self.out, self.direction = Dropout(0.25), nn.Dense(10), nn.Dense(MOMENTS * DIRECTIONS)

    def features(self, x: Clips) -> Float[Array, "B 64"]:
        """Computes the activations of the last hidden layer."""
        x = _each_frame(self.conv1, x)
        for conv in (self.conv2, self.conv3):
            x = _each_frame(conv, beside_neighbors(x))
            x = x.reshape(x.shape[0], x.shape[1] // 2, 2, *x.shape[2:]).mean(2)
        moments = nn.silu(self.place(x)).mean((2, 3))
        return nn.silu(self.dense(moments.reshape(x.shape[0], -1)))

    def head(self, features: Float[Array, "B 64"], keys: Keys | None = None) -> Float[Array, "B 10"]:
        """Computes logits of the digit; `keys`, one per example, turn dropout on."""
        return self.out(self.dropout(features, keys))

    def directions(self, features: Float[Array, "B 64"], keys: Keys | None = None) -> Float[Array, "B 4 8"]:
        """Computes logits of the directions."""
        return self.direction(self.dropout(features, keys)).reshape(-1, MOMENTS, DIRECTIONS)

    def __call__(self, x: Clips, keys: Keys | None = None) -> tuple[Float[Array, "B 10"], Float[Array, "B 4 8"]]:
        """Computes both logits."""
        features = self.features(x)
        return self.head(features, keys), self.directions(features, keys)


def beside_neighbors(x: Clips) -> Float[Array, "B T H W CCC"]:
    """Puts the frames before and after beside every frame, as channels; black before the first and after the last.

    A convolution of such frames is one in space and time, `SAME`.
    """
    frames = jnp.pad(x, ((0, 0), (1, 1), *3 * ((0, 0),)))
    return jnp.concatenate([frames[:, :-2], frames[:, 1:-1], frames[:, 2:]], axis=-1)


def _each_frame(conv: Conv, x: Clips) -> Float[Array, "B T _ _ _"]:
    y = nn.silu(conv(x.reshape(-1, *x.shape[2:])))
    return y.reshape(*x.shape[:2], *y.shape[1:])


def moving_to(x: Clips) -> Int[Array, "B 4"]:
    """Computes the direction in which the center of brightness moves at the beginning of each quarter, of eight.

    0 is to the right, 2 down; each is the middle of an eighth of the circle.
    """
    light = x.sum(-1)
    places = jnp.arange(SIDE, dtype=jnp.float32)
    total = light.sum((2, 3))
    down, right = ((light.sum(axis) * places[None, None]).sum(-1) / total for axis in (3, 2))
    first = np.arange(0, FRAMES, FRAMES // MOMENTS)
    angle = jnp.arctan2(down[:, first + 1] - down[:, first], right[:, first + 1] - right[:, first])
    return jnp.round(angle * np.float32(DIRECTIONS / (2 * np.pi))).astype(jnp.int32) % DIRECTIONS


def train(source: Source, key: Key[Array, ""], epochs: int) -> Params:
    """Trains a `MovingDigits` on digits that move, other paths in every epoch.

    Raises:
        BadInput: there are fewer than 128 videos, or others than of one digit.
    """
    examples = source.read(np.arange(source.size))
    if source.shape != SHAPE or source.classes != CLASSES:
        raise BadInput(f"{source.name} has no digits that move in gray: give moving:mnist or moving:mnist5k")
    check_labels(examples["y"], source.size, len(CLASSES), "videos")
    network = MovingDigits()

    def loss(params: Params, data: dict[str, Array], rows: Int[Array, " B"], key: Key[Array, ""]) -> Float[Array, ""]:
        decoding, drops = split(jax.random.split(key, BATCH), 2)
        batch = source.decode({name: array[rows] for name, array in data.items()}, decoding)
        x = (batch["x"] + 1) / 2
        digit, directions = network.apply({"params": params}, x, drops)
        of_digit = optax.softmax_cross_entropy_with_integer_labels(digit, batch["y"])
        return of_digit.mean() + optax.softmax_cross_entropy_with_integer_labels(directions, moving_to(x)).mean()

    start, *passes = jax.random.split(key, 1 + epochs)
    params = jax.jit(network.init)(start, jnp.zeros((1, *SHAPE), jnp.float32))["params"]
    return fit(loss, params, jax.tree.map(jnp.asarray, examples), source.size, passes)


SCRIPT = "train_moving_digits"


def save(path: str | Path, params: Params) -> str:
    """Writes a network and returns the sha256 of the file."""
    return weights_file.write(path, "moving_digits", CLASSES, params, {})


def load(path: str | Path, sha256: str | None = None) -> FeatureNet:
    """Loads a network from a file written by `save`.

    Raises:
        BadInput: the file cannot be read, has another sha256 than the one given, or holds another network.
    """
    file = weights_file.read(path, SCRIPT, sha256)
    clip = jax.ShapeDtypeStruct((1, *SHAPE), jnp.float32)
    expected = jax.eval_shape(MovingDigits().init, jax.random.key(0), clip)["params"]
    params = weights_file.params_of(file, expected, SCRIPT)
    resize = f"none, for {FRAMES} frames of {SIDE} x {SIDE}; pixels divided by 255"
    return FeatureNet(file.name, file.sha256, resize, params, features, head, file.classes, VIDEO)


def features(params: Params, pixels: Float[Array, "B ..."]) -> Float[Array, "B 64"]:
    """Computes the features of clips with pixels from 0 to 255. Raises `BadInput` for clips of another shape."""
    if pixels.shape[1:] != SHAPE:
        found = ", ".join(map(str, pixels.shape[1:]))
        wanted = ", ".join(map(str, SHAPE))
        raise BadInput(f"this network takes videos [N, {wanted}], not [N, {found}]: choose another in --features")
    return MovingDigits().apply({"params": params}, pixels / 255, method="features")


def head(params: Params, features: Float[Array, "B 64"]) -> Float[Array, "B 10"]:
    """Computes the logits of the digit."""
    return MovingDigits().apply({"params": params}, features, method="head")


def heading(params: Params, features: Float[Array, "B 64"]) -> Float[Array, "B 4 8"]:
    """Computes the logits of the directions."""
    return MovingDigits().apply({"params": params}, features, method="directions")


WEIGHTS = Path(__file__).parent / "weights" / "moving_digits.npz"

SHA256 = "98ce65d3422bdd86e5e4838fac5459abb2ad8200f9c5851d021b4769fced73cf"
"""The sha256 of `WEIGHTS`: other weights would give other scores under the same name."""


def moving_digits() -> FeatureNet:
    """Loads the network in the package: 64 features, 10 classes. Raises `BadInput` as `load`."""
    return load(WEIGHTS, SHA256)
