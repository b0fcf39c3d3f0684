"""Chooses the feature network of an evaluation: the one named by a flag, or the one for the data set."""

import os
from pathlib import Path

from gan_jax.config import user_code
from gan_jax.data.modality import AUDIO, IMAGE, VIDEO, Leaf
from gan_jax.data.sources.subset import whole
from gan_jax.errors import BadInput
from gan_jax.metrics.features import alexnet, classifier_file, ear, imagenet, mnist, moving_digits
from gan_jax.metrics.features.inception import inception
from gan_jax.metrics.features.network import FeatureNet

BUILT_IN = {
    "mnist": mnist.mnist,
    "mnist5k": mnist.mnist,
    "stacked_mnist": mnist.stacked_mnist,
    "stacked_mnist5k": mnist.stacked_mnist,
    "tones": ear.tones,
    "spoken_digits": ear.spoken_digits,
    "speakers": ear.speakers,
    "moving_digits": moving_digits.moving_digits,
}
"""Feature networks in the package, by their names in `--features`."""

OF_DATA = {
    **{(IMAGE.name, name): name for name in ("mnist", "mnist5k", "stacked_mnist", "stacked_mnist5k")},
    **{(VIDEO.name, name): "moving_digits" for name in ("mnist", "mnist5k")},
    (AUDIO, "tones"): "tones",
    (AUDIO, "spoken_digit"): "spoken_digits",
    (AUDIO, "fsdd_audio"): "spoken_digits",
}
"""The names of the networks that belong to data sets, by kind and name; `scripts/fsdd.py` writes `fsdd_audio.npz`."""


def choose_features(
    word: str, inception_weights: Path | None, leaf: Leaf, data: str, lpips_weights: Path | None = None
) -> FeatureNet:
    """Returns the feature network for examples of a shape and kind.

    Args:
        word: one of `BUILT_IN`, `alexnet-conv5`, a .npz file of `scripts/train_classifier.py` or `train_ear.py`, or
            `file.py:net` with a `FeatureNet`; empty for the network that belongs to `data`.
        inception_weights: the public weights of the FID Inception network, which is then used.
        leaf: the shape and kind of an example.
        data: the name of the data set.
        lpips_weights: the file with the weights of `alexnet-conv5`.

    Raises:
        BadInput: unknown network, or no network for this data set.
    """
    if inception_weights is not None:
        if word:
            raise BadInput("--features and --inception-weights name two networks: give one of them")
        return inception(inception_weights)
    known = word or OF_DATA.get((leaf.modality.name, whole(data)), "")
    if known in BUILT_IN:
        return BUILT_IN[known]()
    if word == alexnet.NAME:
        if lpips_weights is None:
            raise BadInput(f"--features {word} needs its weights: give gan-jax evaluate --lpips-weights FILE")
        return alexnet.alexnet_conv5(imagenet.load(lpips_weights))
    if word.endswith(".npz"):
        return _load_file(Path(os.path.expanduser(word)))
    if not word:
        what = f"gan_jax has no feature network for {data} ({leaf.modality.plural} {'x'.join(map(str, leaf.shape))})"
        raise BadInput(f"{what}: give {ADVICE.get(leaf.modality.name, '')}--features file.py:net with your own")
    return _load_user_net(word)


ADVICE = {
    IMAGE.name: "--inception-weights FILE, --features alexnet-conv5 --lpips-weights FILE, --features mnist for digits, "
    "or ",
    AUDIO: "--features spoken_digits for English digits, --features FILE.npz of scripts/train_ear.py, or ",
    VIDEO.name: "--features moving_digits for one gray digit that moves, or ",
}
"""What to choose without a network for the data set, by kind."""


def _load_file(path: Path) -> FeatureNet:
    """Loads a file of one of the scripts that train networks."""
    return (ear if ear.wrote(path) else classifier_file).load(path)


def _load_user_net(word: str) -> FeatureNet:
    """Loads the `FeatureNet` named `file.py:net`."""
    file, colon, name = word.rpartition(":")
    if not colon or not file.endswith(".py"):
        raise BadInput(f"--features {word}: write {', '.join(BUILT_IN)}, alexnet-conv5, weights.npz, or file.py:net")
    net = getattr(user_code.load(Path(os.path.expanduser(file))), name, None)
    if not isinstance(net, FeatureNet):
        raise BadInput(
            f"--features {word}: {file} defines no FeatureNet {name!r}: see gan_jax/metrics/features/network.py"
        )
    return net
