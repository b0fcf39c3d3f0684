"""Which feature network images are judged through: the one that is named, or what suits the images."""

from pathlib import Path

from gan_jax.config import user_code
from gan_jax.data.source import Shape
from gan_jax.data.sources.subset import whole
from gan_jax.errors import BadInput
from gan_jax.metrics.features import mnist
from gan_jax.metrics.features.inception import inception
from gan_jax.metrics.features.network import FeatureNet

COMES_WITH = {
    "mnist": mnist.mnist,
    "mnist5k": mnist.mnist,
    "stacked_mnist": mnist.stacked_mnist,
    "stacked_mnist5k": mnist.stacked_mnist,
}
"""The networks that data sets have of their own, and by their names others of the same kind."""


def lens(word: str, inception_weights: Path | None, shape: Shape, data: str) -> FeatureNet:
    """The feature network for images of `shape`.

    Args:
        word: `mnist`, `stacked_mnist`, a .npz file that `scripts/train_mnist_features.py` wrote, or `file.py:net`, a
            `FeatureNet` of the user's own; nothing for what suits the images.
        inception_weights: the public weights of the FID Inception network; with it, that network.
        shape: of an image.
        data: what the images are, or are to be like.

    Raises:
        BadInput: there is no such network, or nothing suits the images.
    """
    if inception_weights is not None:
        if word:
            raise BadInput("--features and --inception-weights name two networks: give one of them")
        return inception(inception_weights)
    known = word or whole(data)
    if known in COMES_WITH:
        return COMES_WITH[known]()
    if word.endswith(".npz"):
        return mnist.load(Path(word).expanduser())
    if not word:
        raise BadInput(
            f"gan_jax has no feature network for {data} ({'x'.join(map(str, shape))}): give --inception-weights FILE, "
            "--features mnist for digits, or --features file.py:net with one of your own"
        )
    return _of_user(word)


def _of_user(word: str) -> FeatureNet:
    file, colon, name = word.rpartition(":")
    if not colon or not file.endswith(".py"):
        raise BadInput(f"--features {word}: write mnist, stacked_mnist, weights.npz, or file.py:net")
    net = getattr(user_code.load(Path(file).expanduser()), name, None)
    if not isinstance(net, FeatureNet):
        raise BadInput(
            f"--features {word}: {file} defines no FeatureNet {name!r}: see gan_jax/metrics/features/network.py"
        )
    return net
