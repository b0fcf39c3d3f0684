"""A file of random weights with the arrays of LPIPS: small enough features for tests of what is done with them."""

import numpy as np

from gan_jax.metrics.features.imagenet import ALEXNET, VGG16


def arrays():
    """Draws kernels that keep the size of activations, in float16, and heads of positive weights."""
    random, drawn = np.random.default_rng(0), {}
    for net, sizes in (("alex", ALEXNET), ("vgg16", VGG16)):
        for name, (k, c_in, c_out) in sizes.items():
            kernel = random.standard_normal((k, k, c_in, c_out), np.float32) * (2 / (k * k * c_in)) ** 0.5
            drawn[f"{net}/{name}/kernel"] = kernel.astype(np.float16)
            drawn[f"{net}/{name}/bias"] = (0.1 * random.standard_normal(c_out)).astype(np.float16)
    for i, (_, _, channels) in enumerate(ALEXNET.values()):
        drawn[f"alex/lin{i}"] = random.random(channels, np.float32)
    return drawn


def write(path, **changes):
    """Writes the file, with arrays replaced by `changes`, or left out for None."""
    chosen = {name: array for name, array in (arrays() | changes).items() if array is not None}
    np.savez(path, **chosen)
    return path
