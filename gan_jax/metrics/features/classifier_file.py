"""Files of frozen classifiers: an uncompressed `.npz` with the weights of a `classifier.Classifier`, its name, its
classes and the shape of its images. `scripts/train_classifier.py` writes them.
"""

import functools
import io
from collections.abc import Callable
from hashlib import sha256 as digest
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num

from gan_jax.engine.game import Frozen
from gan_jax.errors import BadInput
from gan_jax.metrics.features import classifier
from gan_jax.metrics.features.classifier import Classifier, Params
from gan_jax.metrics.features.network import FeatureNet

Shape = tuple[int, int, int]
"""Height, width and channels."""

SMALL, PADDED = (28, 28), (32, 32)
"""Sides of MNIST, and of MNIST padded by its users."""

SHAPE: Shape = (*SMALL, 1)
"""The shape of the images of a file that states none: files of the first version had no other."""

RESIZE = "none for 28 x 28; of 32 x 32 the central 28 x 28, without the padding; pixels divided by 255"


def load(path: str | Path, sha256: str | None = None) -> FeatureNet:
    """Loads a network from a file written by `save`.

    Args:
        path: the file.
        sha256: the expected sha256 of the file; None skips the check.

    Raises:
        BadInput: the file cannot be read, has another sha256, or does not hold such a network.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}): give a file of feature weights") from error
    found = digest(data).hexdigest()
    if sha256 not in (None, found):
        raise BadInput(f"{path} has the sha256 {found}, not {sha256}: download it again")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        name, classes = str(arrays.pop("name")), tuple(map(str, arrays.pop("classes")))
        height, width, channels = map(int, arrays.pop("shape", SHAPE))
        if min(height, width, channels) < 1:
            raise ValueError
    except Exception as error:  # NumPy and zipfile raise many types for a damaged archive
        raise BadInput(f"{path} holds no feature weights: write it with scripts/train_classifier.py") from error
    shape = (height, width, channels)
    if {name: (a.shape, a.dtype) for name, a in arrays.items()} != _outline(len(classes), shape):
        raise BadInput(f"{path} holds another network: write it with scripts/train_classifier.py of this version")
    params = _nested({name: jnp.asarray(array) for name, array in arrays.items()})
    resize = RESIZE if shape[:2] == SMALL else f"none, for {height} x {width}; pixels divided by 255"
    return FeatureNet(name, found, resize, params, _features_of(shape), classifier.head, classes)


def frozen(path: Path) -> Frozen:
    """Makes the network of a loss from a file: images `[B, H, W, C]` in [-1, 1] to logits `[B, K]`.

    The file is read when a step is made.
    """
    net = functools.cache(lambda: load(path))

    def logits(params: Params, x: Float[Array, "B H W C"]) -> Float[Array, "B K"]:
        return net().head(params, net().apply(params, 127.5 * (x + 1)))

    return Frozen(logits, lambda: net().params)


def save(path: str | Path, name: str, classes: tuple[str, ...], params: Params, shape: Shape = SHAPE) -> str:
    """Writes a network for images of `shape` as an uncompressed `.npz` and returns the sha256 of the file.

    The bytes depend on the arguments only: NumPy dates all members of an archive 1980.
    """
    file = io.BytesIO()
    leaves = jax.tree_util.tree_leaves_with_path(params)
    arrays = {jax.tree_util.keystr(path, simple=True, separator="/"): np.asarray(leaf) for path, leaf in leaves}
    stated = {} if shape == SHAPE else {"shape": np.array(shape, np.int32)}  # the pinned file of MNIST states none
    np.savez(file, name=np.array(name), classes=np.array(classes), **stated, **arrays)
    Path(path).write_bytes(file.getvalue())
    return digest(file.getvalue()).hexdigest()


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


def _outline(classes: int, shape: Shape) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    """Returns the expected shape and dtype of every parameter, by name."""
    image = jax.ShapeDtypeStruct((1, *shape), jnp.float32)
    params = jax.eval_shape(Classifier(classes).init, jax.random.key(0), image)["params"]
    leaves = jax.tree_util.tree_leaves_with_path(params)
    return {jax.tree_util.keystr(p, simple=True, separator="/"): (x.shape, np.dtype(x.dtype)) for p, x in leaves}


def _nested(arrays: dict[str, Array]) -> Params:
    """Nests parameters by name: `{"a/b": x}` to `{"a": {"b": x}}`."""
    params: dict[str, dict[str, Array]] = {}
    for name, array in arrays.items():
        layer, leaf = name.split("/")
        params.setdefault(layer, {})[leaf] = array
    return params
