"""Chooses the feature network of an evaluation: the one named by a flag, or the one for the data set."""

import os
from pathlib import Path

from gan_jax.config import user_code
from gan_jax.data.modality import Shape
from gan_jax.data.sources.subset import whole
from gan_jax.errors import BadInput
from gan_jax.metrics.features import alexnet, classifier_file, imagenet, mnist
from gan_jax.metrics.features.inception import inception
from gan_jax.metrics.features.network import FeatureNet

BUILT_IN = {
    "mnist": mnist.mnist,
    "mnist5k": mnist.mnist,
    "stacked_mnist": mnist.stacked_mnist,
    "stacked_mnist5k": mnist.stacked_mnist,
}
"""Feature networks in the package, by the name of a data set; the names also work as `--features`."""


def choose_features(
    word: str, inception_weights: Path | None, shape: Shape, data: str, lpips_weights: Path | None = None
) -> FeatureNet:
    """Returns the feature network for images of `shape`.

    Args:
        word: `mnist`, `stacked_mnist`, `alexnet-conv5`, a .npz file of `scripts/train_classifier.py`, or
            `file.py:net` with a `FeatureNet`; empty for the network that belongs to `data`.
        inception_weights: the public weights of the FID Inception network, which is then used.
        shape: the shape of an image, for the error message.
        data: the name of the data set.
        lpips_weights: the file with the weights of `alexnet-conv5`.

    Raises:
        BadInput: unknown network, or no network for this data set.
    """
    if inception_weights is not None:
        if word:
            raise BadInput("--features and --inception-weights name two networks: give one of them")
        return inception(inception_weights)
    known = word or whole(data)
    if known in BUILT_IN:
        return BUILT_IN[known]()
    if word == alexnet.NAME:
        if lpips_weights is None:
            raise BadInput(f"--features {word} needs its weights: give gan-jax evaluate --lpips-weights FILE")
        return alexnet.alexnet_conv5(imagenet.load(lpips_weights))
    if word.endswith(".npz"):
        return classifier_file.load(os.path.expanduser(word))
    if not word:
        raise BadInput(
            f"gan_jax has no feature network for {data} ({'x'.join(map(str, shape))}): give --inception-weights FILE, "
            "--features alexnet-conv5 --lpips-weights FILE, --features mnist for digits, or --features file.py:net "
            "with your own"
        )
    return _load_user_net(word)


def _load_user_net(word: str) -> FeatureNet:
    """Loads the `FeatureNet` named `file.py:net`."""
    file, colon, name = word.rpartition(":")
    if not colon or not file.endswith(".py"):
        raise BadInput(f"--features {word}: write mnist, stacked_mnist, alexnet-conv5, weights.npz, or file.py:net")
    net = getattr(user_code.load(Path(os.path.expanduser(file))), name, None)
    if not isinstance(net, FeatureNet):
        raise BadInput(
            f"--features {word}: {file} defines no FeatureNet {name!r}: see gan_jax/metrics/features/network.py"
        )
    return net
