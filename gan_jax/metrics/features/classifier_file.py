"""Files of frozen classifiers: an uncompressed `.npz` with the weights of a `classifier.Classifier`, its name, its
classes and the shape of its images. `scripts/train_classifier.py` writes them.
"""

import functools
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num

from gan_jax.engine.game import Frozen
from gan_jax.errors import BadInput
from gan_jax.metrics.features import classifier, weights_file
from gan_jax.metrics.features.classifier import Classifier, Params
from gan_jax.metrics.features.network import FeatureNet

Shape = tuple[int, int, int]
"""Height, width and channels."""

SMALL, PADDED = (28, 28), (32, 32)
"""Sides of MNIST, and of MNIST padded by its users."""

SHAPE: Shape = (*SMALL, 1)
"""The shape of the images of a file that states none: files of the first version had no other."""

RESIZE = "none for 28 x 28; of 32 x 32 the central 28 x 28, without the padding; pixels divided by 255"


SCRIPT = "train_classifier"


def load(path: str | Path, sha256: str | None = None) -> FeatureNet:
    """Loads a network from a file written by `save`.

    Args:
        path: the file.
        sha256: the expected sha256 of the file; None skips the check.

    Raises:
        BadInput: the file cannot be read, has another sha256, or does not hold such a network.
    """
    file = weights_file.read(path, SCRIPT, sha256)
    shape = file.about.get("shape", np.array(SHAPE))
    if shape.shape != (3,) or shape.min() < 1:
        raise BadInput(f"{path} holds no feature weights: write it with scripts/{SCRIPT}.py")
    height, width, channels = shape = tuple(map(int, shape))
    image = jax.ShapeDtypeStruct((1, height, width, channels), jnp.float32)
    expected = jax.eval_shape(Classifier(len(file.classes)).init, jax.random.key(0), image)["params"]
    params = weights_file.params_of(file, expected, SCRIPT)
    resize = RESIZE if shape[:2] == SMALL else f"none, for {height} x {width}; pixels divided by 255"
    return FeatureNet(file.name, file.sha256, resize, params, _features_of(shape), classifier.head, file.classes)


def frozen(path: Path) -> Frozen:
    """Makes the network of a loss from a file: images `[B, H, W, C]` in [-1, 1] to logits `[B, K]`.

    The file is read when a step is made.
    """
    net = functools.cache(lambda: load(path))

    def logits(params: Params, x: Float[Array, "B H W C"]) -> Float[Array, "B K"]:
        return net().head(params, net().apply(params, 127.5 * (x + 1)))

    return Frozen(logits, lambda: net().params)


def save(path: str | Path, name: str, classes: tuple[str, ...], params: Params, shape: Shape = SHAPE) -> str:
    """Writes a network for images of `shape` and returns the sha256 of the file."""
    stated = {} if shape == SHAPE else {"shape": np.array(shape, np.int32)}  # the pinned file of MNIST states none
    return weights_file.write(path, name, classes, params, stated)


def checked(pixels: Num[Array, "B H W C"], shape: Shape) -> Num[Array, "B H_in W_in C"]:
    """Returns images of `shape`; where that is 28 x 28, also of 32 x 32, whose padding is cropped.

    Raises:
        BadInput: the images have another shape.
    """
    size, *channels = shape[:2], shape[2]
    fitting = [(*each, *channels) for each in ((SMALL, PADDED) if size == SMALL else (size,))]
    found = pixels.shape[1:]
    if found not in fitting:
        wanted = " or ".join(map(_shown, fitting))
        raise BadInput(f"this classifier takes images {wanted}, not {_shown(found)}: resize them, or use another one")
    return pixels[:, 2:30, 2:30] if found[:2] != size else pixels


def _shown(shape: tuple[int, ...]) -> str:
    return f"[N, {', '.join(map(str, shape))}]"


@functools.cache
def _features_of(shape: Shape) -> Callable[[Params, Num[Array, "B H W C"]], Float[Array, "B D"]]:
    """Returns the features of images of `shape`: one function for each shape, so that it is compiled once."""
    return lambda params, pixels: classifier.features(params, checked(pixels, shape))
