"""A feature network small enough for tests: average pooling and a fixed random layer."""

import jax.numpy as jnp
import numpy as np

from gan_jax.data.modality import VIDEO, audio
from gan_jax.errors import BadInput
from gan_jax.metrics.features.network import FeatureNet

FEATURES, CLASSES = 6, 4


def apply(params, pixels):
    if pixels.shape[1:3] != (8, 8):
        raise BadInput(f"tiny sees 8x8 images, not {pixels.shape[1]}x{pixels.shape[2]}: resize them")
    pooled = pixels.reshape(pixels.shape[0], 4, 2, 4, 2, -1).mean((2, 4, 5)).reshape(pixels.shape[0], -1) / 255
    return jnp.tanh(pooled @ params["in"])


def head(params, features):
    return features @ params["out"]


def tiny(head=head):
    random = np.random.RandomState(0)
    params = {
        "in": random.normal(size=(16, FEATURES)).astype(np.float32),
        "out": random.normal(scale=4, size=(FEATURES, CLASSES)).astype(np.float32),
    }
    return FeatureNet("tiny", "0" * 64, "none", params, apply, head, tuple("abcd") if head else ())


net = tiny()
blind = tiny(head=None)
numbered = net._replace(classes=tuple("0123"))


def numbered_classes(pixels):
    """Returns the class that `numbered` finds most probable."""
    return np.asarray(head(net.params, apply(net.params, pixels))).argmax(1)


def heard(params, values):
    """Computes the levels of frequencies, which do not depend on where a sound begins."""
    if values.shape[1:] != (64,):
        raise BadInput(f"tiny hears 64 samples, not {list(values.shape[1:])}: cut them")
    levels = jnp.abs(jnp.fft.rfft(values * np.float32(1 / 32767)))[:, 1:]
    return levels.reshape(len(levels), 16, 2).mean(2) @ params["in"]


hearing = net._replace(name="hearing", apply=heard, kind=audio(8000))
watching = net._replace(name="watching", apply=lambda params, values: apply(params, values[:, 0]), kind=VIDEO)
