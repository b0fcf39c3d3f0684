"""InceptionV3 as the Fréchet Inception distance (FID) uses it, with TensorFlow's "inception-2015-12-05" weights.

The TensorFlow graph differs from the paper and from later InceptionV3 weights: it has 1008 classes, average pooling
does not count the padding, and the last block uses max pooling. Differences and module names are those of pytorch-fid
and torch-fidelity ("inception-v3-compat"), so their state dicts fit.

Szegedy et al. 2016, "Rethinking the Inception architecture for computer vision", https://arxiv.org/abs/1512.00567;
for the FID Heusel et al. 2017, "GANs trained by a two time-scale update rule converge to a local Nash equilibrium",
https://arxiv.org/abs/1706.08500.
"""

import re
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, PyTree

from gan_jax.errors import BadInput
from gan_jax.metrics.features import torch_weights
from gan_jax.metrics.features.network import FeatureNet, Pixels
from gan_jax.metrics.features.resize_tf1 import bilinear_tf1

SIDE = 299

RESIZE = (
    f"gray repeated to 3 channels; bilinear to {SIDE} x {SIDE} as TensorFlow 1's resize_bilinear "
    "(align_corners=False, no antialiasing, no half-pixel centers); (x - 128) / 128"
)

EXACT = jax.lax.Precision.HIGHEST
"""By default GPUs and TPUs multiply in reduced precision, and scores would depend on the device."""

Maps = Float[Array, "B _ _ _"]


def inception(path: str | Path, sha256: str | None = None) -> FeatureNet:
    """Loads the network from a file of the public weights: 2048 features, and 1008 logits as `head`.

    The file is a PyTorch state dict with the tensor names of pytorch-fid and torch-fidelity; pytorch-fid publishes it
    as `pt_inception-2015-12-05-6726825d.pth`. The logits omit the bias of the last layer, as inception scores require
    (torch-fidelity's `logits_unbiased`).

    Args:
        path: a `.safetensors`, `.npz`, `.pth` or `.pt` file, see `torch_weights.read`.
        sha256: the expected sha256 of the file, or at least its first eight digits. The default is the part of the
            file name that PyTorch checks in downloads: `6726825d` of `-6726825d.pth`.

    Raises:
        BadInput: the file cannot be read, has another sha256, or does not hold the tensors of this network.
    """
    named = re.search(r"-([0-9a-f]{8,64})\.pth$", Path(path).name)
    weights = torch_weights.read(Path(path), sha256 or (named and named[1]))
    params = torch_weights.params(weights, shapes())
    return FeatureNet(
        "inception-v3-compat", weights.sha256, RESIZE, jax.tree.map(jnp.asarray, params), _features, _logits
    )


def shapes() -> PyTree[jax.ShapeDtypeStruct]:
    """Returns the shapes and dtypes of the network's variables."""
    images = jax.ShapeDtypeStruct((1, SIDE, SIDE, 3), jnp.float32)
    return jax.eval_shape(InceptionV3().init, jax.random.key(0), images)


def prepare(images: Pixels) -> Float[Array, "B 299 299 3"]:
    """Resizes and scales images as `RESIZE` says. Raises `BadInput` unless they have 1 or 3 channels."""
    if 0 in images.shape[1:] or images.shape[3] not in (1, 3):
        raise BadInput(f"Inception takes images [N, H, W, 3] or [N, H, W, 1], not {list(images.shape)}: convert them")
    x = (bilinear_tf1(images, SIDE, SIDE) - 128) / 128
    return jnp.broadcast_to(x, (*x.shape[:3], 3))


def _features(params: PyTree[Array], images: Pixels) -> Float[Array, "B 2048"]:
    return InceptionV3().apply(params, prepare(images), method="features")


def _logits(params: PyTree[Array], features: Float[Array, "B 2048"]) -> Float[Array, "B 1008"]:
    return InceptionV3().apply(params, features, method="logits")


class InceptionV3(nn.Module):
    """Images from `prepare` to logits: `logits(features(x))`."""

    def setup(self) -> None:
        """Creates the classification layer."""
        self.fc = nn.Dense(1008, use_bias=False, precision=EXACT)

    def __call__(self, x: Float[Array, "B 299 299 3"]) -> Float[Array, "B 1008"]:
        """Computes logits from images."""
        return self.logits(self.features(x))

    def logits(self, features: Float[Array, "B 2048"]) -> Float[Array, "B 1008"]:
        """Computes logits from features, without a bias."""
        return self.fc(features)

    @nn.compact
    def features(self, x: Float[Array, "B 299 299 3"]) -> Float[Array, "B 2048"]:
        """Computes the spatial means of the last block's maps."""
        x = chain(x, Conv2d_1a_3x3=(32, 3, 2, "VALID"), Conv2d_2a_3x3=(32, 3, 1, "VALID"), Conv2d_2b_3x3=(64, 3))
        x = halve(x)
        x = chain(x, Conv2d_3b_1x1=(80, 1), Conv2d_4a_3x3=(192, 3, 1, "VALID"))
        x = halve(x)
        for name, pooled in {"Mixed_5b": 32, "Mixed_5c": 64, "Mixed_5d": 64}.items():
            x = InceptionA(pooled, name=name)(x)
        x = InceptionB(name="Mixed_6a")(x)
        for name, width in {"Mixed_6b": 128, "Mixed_6c": 160, "Mixed_6d": 160, "Mixed_6e": 192}.items():
            x = InceptionC(width, name=name)(x)
        x = InceptionD(name="Mixed_7a")(x)
        for name, pool in {"Mixed_7b": average, "Mixed_7c": maximum}.items():
            x = InceptionE(pool, name=name)(x)
        return jnp.mean(x, axis=(1, 2))


class InceptionA(nn.Module):
    """A block on 35 x 35 maps."""

    pooled: int

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        """Computes maps of the same size."""
        return join(
            chain(x, branch1x1=(64, 1)),
            chain(x, branch5x5_1=(48, 1), branch5x5_2=(64, 5)),
            chain(x, branch3x3dbl_1=(64, 1), branch3x3dbl_2=(96, 3), branch3x3dbl_3=(96, 3)),
            chain(average(x), branch_pool=(self.pooled, 1)),
        )


class InceptionB(nn.Module):
    """A block from 35 x 35 maps to 17 x 17."""

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        """Computes maps of half the size."""
        return join(
            chain(x, branch3x3=(384, 3, 2, "VALID")),
            chain(x, branch3x3dbl_1=(64, 1), branch3x3dbl_2=(96, 3), branch3x3dbl_3=(96, 3, 2, "VALID")),
            halve(x),
        )


class InceptionC(nn.Module):
    """A block on 17 x 17 maps: 7 x 7 convolutions, each factorized into 1 x 7 and 7 x 1."""

    width: int

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        """Computes maps of the same size."""
        c, row, column = self.width, (1, 7), (7, 1)
        twice = chain(x, branch7x7dbl_1=(c, 1), branch7x7dbl_2=(c, column), branch7x7dbl_3=(c, row))
        return join(
            chain(x, branch1x1=(192, 1)),
            chain(x, branch7x7_1=(c, 1), branch7x7_2=(c, row), branch7x7_3=(192, column)),
            chain(twice, branch7x7dbl_4=(c, column), branch7x7dbl_5=(192, row)),
            chain(average(x), branch_pool=(192, 1)),
        )


class InceptionD(nn.Module):
    """A block from 17 x 17 maps to 8 x 8."""

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        """Computes maps of half the size."""
        seven = chain(x, branch7x7x3_1=(192, 1), branch7x7x3_2=(192, (1, 7)), branch7x7x3_3=(192, (7, 1)))
        return join(
            chain(x, branch3x3_1=(192, 1), branch3x3_2=(320, 3, 2, "VALID")),
            chain(seven, branch7x7x3_4=(192, 3, 2, "VALID")),
            halve(x),
        )


class InceptionE(nn.Module):
    """A block on 8 x 8 maps: two branches end in parallel 1 x 3 and 3 x 1 convolutions."""

    pool: Callable[[Maps], Maps]

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        """Computes maps of the same size."""
        row, column = (384, (1, 3)), (384, (3, 1))
        once = chain(x, branch3x3_1=(384, 1))
        twice = chain(x, branch3x3dbl_1=(448, 1), branch3x3dbl_2=(384, 3))
        return join(
            chain(x, branch1x1=(320, 1)),
            chain(once, branch3x3_2a=row),
            chain(once, branch3x3_2b=column),
            chain(twice, branch3x3dbl_3a=row),
            chain(twice, branch3x3dbl_3b=column),
            chain(self.pool(x), branch_pool=(192, 1)),
        )


class BasicConv2d(nn.Module):
    """Convolution, batch norm with the running statistics, ReLU."""

    width: int
    kernel: int | tuple[int, int]
    stride: int = 1
    padding: str = "SAME"

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        """Computes maps of `width` channels."""
        kernel = self.kernel if isinstance(self.kernel, tuple) else (self.kernel, self.kernel)
        conv = nn.Conv(self.width, kernel, self.stride, self.padding, use_bias=False, precision=EXACT, name="conv")
        return nn.relu(nn.BatchNorm(use_running_average=True, epsilon=1e-3, name="bn")(conv(x)))


def chain(x: Maps, **convolutions: tuple) -> Maps:
    """Applies one `BasicConv2d` after the other, given as `name=(width, kernel, stride, padding)`."""
    for name, settings in convolutions.items():
        x = BasicConv2d(*settings, name=name)(x)
    return x


def join(*branches: Maps) -> Maps:
    """Concatenates the channels of all branches."""
    return jnp.concatenate(branches, axis=-1)


def halve(x: Maps) -> Maps:
    """Max pooling, 3 x 3 with stride 2."""
    return nn.max_pool(x, (3, 3), (2, 2))


def average(x: Maps) -> Maps:
    """Average pooling, 3 x 3 with stride 1; the padding is not counted."""
    return nn.avg_pool(x, (3, 3), (1, 1), "SAME", count_include_pad=False)


def maximum(x: Maps) -> Maps:
    """Max pooling, 3 x 3 with stride 1."""
    return nn.max_pool(x, (3, 3), (1, 1), "SAME")
