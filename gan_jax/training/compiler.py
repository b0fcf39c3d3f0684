"""Chooses XLA's options for the programs of training."""

from functools import cache

import jax

from gan_jax.engine.game import State

SUMS_ONLY = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_REDUCE"}


def compiler_options(state: State) -> dict[str, str]:
    """Returns the options for `jax.jit` with which the steps of these networks are fast.

    On a CPU, XLA leaves sums and matrix products to the library YNN. Its products are the faster ones for the small
    batches of dense networks, Eigen's for the many rows that a convolution multiplies: networks that convolve keep only
    the sums of YNN.
    """
    convolves = any(leaf.ndim >= 4 for leaf in jax.tree.leaves([player.params for player in state.players.values()]))
    return SUMS_ONLY if convolves and jax.default_backend() == "cpu" and _are_known() else {}


@cache
def _are_known() -> bool:
    """Whether this release of XLA knows the options, which are experimental."""
    try:
        jax.jit(lambda: 0, compiler_options=SUMS_ONLY).lower().compile()
    except jax.errors.JaxRuntimeError:
        return False
    return True
