"""Computes digests of a state: equal digests mean equal bits."""

from hashlib import sha256
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree


class Digests(NamedTuple):
    """The sha256 of a state, and half of the sha256 of every leaf by its path: `players/g/params/Dense_0/kernel`."""

    state: str
    leaves: dict[str, str]


def digests(state: PyTree) -> Digests:
    """Computes digests over the path, dtype, shape and bytes of every leaf, in tree order."""
    whole, leaves = sha256(), {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        about, data = f"{leaf.dtype} {leaf.shape}\n".encode(), np.asarray(plain(leaf)).tobytes()
        whole.update(f"{jax.tree_util.keystr(path)} ".encode() + about)
        whole.update(data)
        name = jax.tree_util.keystr(path, simple=True, separator="/")
        leaves[name] = sha256(about + data).hexdigest()[:32]
    return Digests(whole.hexdigest(), leaves)


def digest(state: PyTree) -> str:
    """Computes the digest of a whole state."""
    return digests(state).state


def plain(leaf: Any) -> Any:
    """Converts a typed PRNG key to its data, which can be stored; returns any other leaf unchanged."""
    return jax.random.key_data(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf
