"""Frozen feature networks for MNIST and Stacked MNIST, with weights in the package (0.8 MB).

`mnist` is a `classifier.Classifier` trained by `scripts/train_mnist_features.py`; the docstring of that script states
the protocol and the test accuracy. `load` reads weights that the script wrote for another data set of 28 x 28 images.

Scores on these features are not comparable with scores on Inception features or on those of another MNIST classifier.
"""

import io
from hashlib import sha256 as digest
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num

from gan_jax.errors import BadInput
from gan_jax.metrics.features import classifier
from gan_jax.metrics.features.classifier import Classifier, Params
from gan_jax.metrics.features.network import FeatureNet

WEIGHTS = Path(__file__).parent / "weights" / "mnist.npz"

SHA256 = "e0d89110a1784f30a517ee1504c6502d97af3e6a7c0a4c31a597be24488adf66"
"""The sha256 of `WEIGHTS`: other weights would give other scores under the same name."""

RESIZE = "none for 28 x 28; of 32 x 32 the central 28 x 28, without the padding; pixels divided by 255"
RESIZE_STACKED = f"each of 3 channels as an image of its own: {RESIZE}"


def mnist() -> FeatureNet:
    """Loads the network for MNIST, `[N, 28, 28, 1]` (or padded to 32 x 32): 128 features, 10 classes.

    Raises:
        BadInput: the weights in the package are missing or modified.
    """
    return load(WEIGHTS, SHA256)


def stacked_mnist() -> FeatureNet:
    """Loads the network for Stacked MNIST, `[N, 28, 28, 3]` (or padded to 32 x 32): `mnist` on every channel.

    The 384 features are those of the three channels, concatenated. The 1,000 classes are the numbers 000 to 999, with
    the hundreds in the first channel; the log probability of a class is the sum of the log probabilities of its digits.

    Raises:
        BadInput: as `mnist`.

    Metz et al. 2017, "Unrolled generative adversarial networks", https://arxiv.org/abs/1611.02163; Srivastava et al.
    2017, "VEEGAN", https://arxiv.org/abs/1705.07761.
    """
    classes = tuple(f"{number:03}" for number in range(1000))
    return mnist()._replace(
        name="stacked_mnist", resize=RESIZE_STACKED, apply=_stacked_features, head=_stacked_head, classes=classes
    )


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
    except Exception as error:  # NumPy and zipfile raise many types for a damaged archive
        raise BadInput(f"{path} holds no feature weights: write it with scripts/train_mnist_features.py") from error
    if {name: (a.shape, a.dtype) for name, a in arrays.items()} != _outline(len(classes)):
        raise BadInput(f"{path} holds another network: write it with scripts/train_mnist_features.py of this version")
    params = _nested({name: jnp.asarray(array) for name, array in arrays.items()})
    return FeatureNet(name, found, RESIZE, params, _features, classifier.head, classes)


def save(path: str | Path, name: str, classes: tuple[str, ...], params: Params) -> str:
    """Writes a network for 28 x 28 x 1 images as an uncompressed `.npz` and returns the sha256 of the file.

    The bytes depend on the arguments only: NumPy dates all members of an archive 1980.
    """
    file = io.BytesIO()
    leaves = jax.tree_util.tree_leaves_with_path(params)
    arrays = {jax.tree_util.keystr(path, simple=True, separator="/"): np.asarray(leaf) for path, leaf in leaves}
    np.savez(file, name=np.array(name), classes=np.array(classes), **arrays)
    Path(path).write_bytes(file.getvalue())
    return digest(file.getvalue()).hexdigest()


def _features(params: Params, pixels: Num[Array, "B H W C"]) -> Float[Array, "B D"]:
    return classifier.features(params, _cropped(pixels, 1))


def _stacked_features(params: Params, pixels: Num[Array, "B H W C"]) -> Float[Array, "B D"]:
    each = jnp.moveaxis(_cropped(pixels, 3), -1, 1).reshape(-1, 28, 28, 1)
    return classifier.features(params, each).reshape(pixels.shape[0], -1)


def _stacked_head(params: Params, features: Float[Array, "B D"]) -> Float[Array, "B K"]:
    digits = jax.nn.log_softmax(classifier.head(params, features.reshape(3 * features.shape[0], -1)))
    first, second, third = jnp.moveaxis(digits.reshape(-1, 3, 10), 1, 0)
    return (first[:, :, None, None] + second[:, None, :, None] + third[:, None, None, :]).reshape(-1, 1000)


def _cropped(pixels: Num[Array, "B H W C"], channels: int) -> Num[Array, "B 28 28 C"]:
    """Crops 32 x 32 images to the central 28 x 28; raises `BadInput` for images of another shape."""
    size = pixels.shape[1:]
    if size not in ((28, 28, channels), (32, 32, channels)):
        what = f"[N, 28, 28, {channels}] or [N, 32, 32, {channels}], not [N, {', '.join(map(str, size))}]"
        raise BadInput(f"the MNIST feature network takes images {what}: resize them, or use another network")
    return pixels[:, 2:30, 2:30] if size[0] == 32 else pixels


def _outline(classes: int) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    """Returns the expected shape and dtype of every parameter, by name."""
    image = jax.ShapeDtypeStruct((1, 28, 28, 1), jnp.float32)
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
