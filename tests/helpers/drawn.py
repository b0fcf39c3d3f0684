"""Random variables without compiling `init`, and spectral norms without hundreds of power iterations."""

import jax
import jax.numpy as jnp
import numpy as np


def drawn(net, *args, seed=0):
    """Draws every parameter from [-0.5, 0.5] and every running statistic from [0.5, 1.5]."""
    rng = np.random.RandomState(seed)
    shapes = jax.eval_shape(net.init, jax.random.key(0), *args)
    return {
        name: jax.tree.map(lambda leaf, low=low: jnp.asarray(rng.uniform(low, low + 1, leaf.shape), leaf.dtype), tree)
        for name, tree in shapes.items()
        for low in [-0.5 if name == "params" else 0.5]
    }


def converged(variables):
    """Sets the vectors and singular values of every `SpectralNorm` to those of the kernels, by numpy's SVD."""
    return {**variables, "batch_stats": _fill(variables["batch_stats"], variables["params"])}


def _fill(stats, params):
    # A `SpectralNorm` has stats but no parameters: the kernel belongs to its parent, at the path in the stat's name.
    return {
        name: _fill(value, params.get(name, params)) if isinstance(value, dict) else _value(name, params, value)
        for name, value in stats.items()
    }


def _value(path, params, value):
    *names, which = path.split("/")
    if which not in ("u", "sigma"):
        return value
    kernel = params
    for name in names:
        kernel = kernel[name]
    _, singular_values, right = np.linalg.svd(np.reshape(kernel, (-1, kernel.shape[-1])), full_matrices=False)
    return jnp.asarray(right[:1] if which == "u" else singular_values[0])
