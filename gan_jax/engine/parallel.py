"""Compositions of a step over many seeds and devices, and their traps.

For several devices, prefer `over_devices`: under `jit` with a sharded batch every statistic of the batch is global.
`shard_map` and `pmap` need a step made with `make_step(game, axis_name=BATCH_AXIS)`.
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from gan_jax.engine.game import Batch, Metrics, State
from gan_jax.errors import BadInput

Step = Callable[[State, Batch], tuple[State, Metrics]]
BATCH_AXIS = "batch"


def over_seeds(step: Step) -> Step:
    """Vmaps a step over the leading axis of states and batches: many runs in one program, for seed studies.

    All lanes share one unbatched `step` count: batched, the `cond` of a lazy turn would run both branches.
    A lane is not bit-identical to a single run.
    """
    return jax.vmap(step, in_axes=(SEEDS, 0), out_axes=(SEEDS, 0))


SEEDS = State(step=None, key=0, players=0)
"""The `in_axes` and `out_axes` of `vmap` for a state of many seeds."""


def make_mesh(devices: Sequence[jax.Device] | None = None) -> Mesh:
    """Makes a one-axis mesh of the given devices, by default all."""
    devices = jax.devices() if devices is None else devices
    # Convolutions raise under explicit axes, the default of `jax.make_mesh`.
    return jax.make_mesh((len(devices),), (BATCH_AXIS,), axis_types=(AxisType.Auto,), devices=devices)


def over_devices(step: Step, mesh: Mesh) -> Step:
    """Jits a step with the state replicated and each turn's examples sharded: data parallelism without an axis name."""
    everywhere, shared = NamedSharding(mesh, P()), NamedSharding(mesh, P(None, BATCH_AXIS))
    return jax.jit(step, in_shardings=(everywhere, shared), out_shardings=everywhere)


def over_shards(step: Step, mesh: Mesh) -> Step:
    """Jits a step under `shard_map`: data parallelism with explicit collectives, for per-device code."""
    # With check_vma=True jax sums the gradients of replicated parameters itself; pmean then averages sums, and the
    # gradients are silently n times too large.
    return jax.jit(jax.shard_map(step, mesh=mesh, in_specs=(P(), P(None, BATCH_AXIS)), out_specs=P(), check_vma=False))


def over_pmap(step: Step) -> Step:
    """Pmaps a step, for programs built on `pmap`; `deal` splits its batches."""
    return jax.pmap(step, axis_name=BATCH_AXIS, in_axes=(None, 0), out_axes=None)


def deal(batch: Batch, devices: int) -> Batch:
    """Splits leaves `[slice, B, ...]` into `[device, slice, B / devices, ...]` for `pmap`.

    Raises:
        BadInput: `devices` does not divide B.
    """
    for leaf in batch.values():
        check_shares(leaf.shape[1], devices)
    return {name: jnp.stack(jnp.split(leaf, devices, axis=1)) for name, leaf in batch.items()}


def check_shares(batch_size: int, devices: int) -> None:
    """Raises `BadInput` unless `devices` divides the batch size."""
    if batch_size % devices:
        raise BadInput(f"a batch of {batch_size} cannot be split over {devices} devices: give a multiple of {devices}")
