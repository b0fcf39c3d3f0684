"""Digests of a state: what two runs have in common that are the same to the bit."""

from hashlib import sha256
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree


class Digests(NamedTuple):
    """The sha256 of a state, and half of that of every leaf by its path, as in `players/g/params/Dense_0/kernel`."""

    state: str
    leaves: dict[str, str]


def digests(state: PyTree) -> Digests:
    """The digests of a state: of every leaf in tree order its path, dtype, shape and bytes."""
    whole, leaves = sha256(), {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        about, data = f"{leaf.dtype} {leaf.shape}\n".encode(), np.asarray(plain(leaf)).tobytes()
        whole.update(f"{jax.tree_util.keystr(path)} ".encode() + about)
        whole.update(data)
        name = jax.tree_util.keystr(path, simple=True, separator="/")
        leaves[name] = sha256(about + data).hexdigest()[:32]
    return Digests(whole.hexdigest(), leaves)


def digest(state: PyTree) -> str:
    """The digest of a state as a whole. Equal runs end in equal digests."""
    return digests(state).state


def plain(leaf: Any) -> Any:
    """The words of a typed key, which is what can be stored of it; any other leaf as it is."""
    return jax.random.key_data(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf
