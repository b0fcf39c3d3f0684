"""The same step over many steps, many seeds and many devices: compositions outside of it, and their traps.

The main road is `jit` with the batch sharded over a mesh, where every statistic of the batch is global by itself.
`shard_map` and `pmap` run the step that `make_step(game, axis_name)` makes.
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Int, PyTree

from gan_jax.engine.finite import FINITE_STEPS, finite
from gan_jax.engine.game import Batch, Metrics, State
from gan_jax.errors import BadInput

Step = Callable[[State, Batch], tuple[State, Metrics]]

Sound = dict[str, Int[Array, ""]]
"""Of every move, for how many steps its numbers have been finite."""

BATCH_AXIS = "batch"


def over_steps(step: Step, load: Callable[[PyTree, PyTree], Batch]) -> Callable:
    """Many steps in one dispatch: `(state, arrays, inputs, n) -> (state, metrics)`.

    `load(arrays, input) -> batch` makes each step's batch, inside the loop. Leaves of `inputs` are `[N, ...]`, one row
    a step; the first `n` are played, `n` being data, so that chunks of every length run the same compiled program
    and give the same bits. Metrics are means over the steps; a lazy move's, over the steps in which it was played.
    Besides, `<move>/finite_steps` says before how many steps its loss, gradient and update had all been finite.
    """

    def chunk(state: State, arrays: PyTree, inputs: PyTree, n: Int[Array, ""]) -> tuple[State, Metrics]:
        def one(i: Int[Array, ""] | int, state: State) -> tuple[State, Metrics]:
            return step(state, load(arrays, jax.tree.map(lambda leaf: leaf[i], inputs)))

        def body(i: Int[Array, ""], carry: tuple[State, Metrics, Sound]) -> tuple[State, Metrics, Sound]:
            state, total, sound = carry
            state, metrics = one(i, state)
            now = finite(metrics)
            sound = {move: jnp.where(now[move] & (before == i), i + 1, before) for move, before in sound.items()}
            return state, jax.tree.map(jnp.add, total, metrics), sound

        silent = jax.tree.map(lambda m: jnp.zeros(m.shape, m.dtype), jax.eval_shape(one, 0, state)[1])
        none = {move: jnp.int32(0) for move in finite(silent)}
        state, total, sound = jax.lax.fori_loop(0, n, body, (state, silent, none))
        return state, _mean(total, n) | {
            f"{move}{FINITE_STEPS}": count.astype(jnp.float32) for move, count in sound.items()
        }

    return chunk


def _mean(total: Metrics, n: Int[Array, ""]) -> Metrics:
    """Sums over `n` steps, divided by the number of steps in which their move was played."""
    steps = n.astype(jnp.float32)

    def times(name: str) -> Array:
        played = f"{name.partition('/')[0]}/played"
        return steps if name == played else total.get(played, steps)

    return {name: value / jnp.maximum(times(name), 1) for name, value in total.items()}


def over_seeds(step: Step) -> Step:
    """Many runs in one program, a vmap over a leading axis of the state and of the batch.

    `step` counts all lanes together and stays unbatched: batched, the `cond` of a lazy turn would run both branches.
    A lane is not bit-identical to a single run.
    """
    return jax.vmap(step, in_axes=(SEEDS, 0), out_axes=(SEEDS, 0))


SEEDS = State(step=None, key=0, players=0)
"""The axes of a state of many seeds, for `vmap`'s `in_axes` and `out_axes`."""


def make_mesh(devices: Sequence[jax.Device] | None = None) -> Mesh:
    """A mesh of all (or the given) devices along the one axis that batches are shared over."""
    devices = jax.devices() if devices is None else devices
    # Explicit axes, make_mesh's default, make convolutions raise.
    return jax.make_mesh((len(devices),), (BATCH_AXIS,), axis_types=(AxisType.Auto,), devices=devices)


def over_devices(step: Step, mesh: Mesh) -> Step:
    """The step under `jit` with the state on every device and each turn's examples shared between them."""
    everywhere, shared = NamedSharding(mesh, P()), NamedSharding(mesh, P(None, BATCH_AXIS))
    return jax.jit(step, in_shardings=(everywhere, shared), out_shardings=everywhere)


def over_shards(step: Step, mesh: Mesh) -> Step:
    """The step under `shard_map`; make it with `make_step(game, axis_name=BATCH_AXIS)`."""
    # check_vma=True would sum the gradients of replicated parameters by itself, and pmean then averages a sum: the
    # gradients come out n times too large, without a word.
    return jax.jit(jax.shard_map(step, mesh=mesh, in_specs=(P(), P(None, BATCH_AXIS)), out_specs=P(), check_vma=False))


def over_pmap(step: Step) -> Step:
    """The step under `pmap`; make it with `make_step(game, axis_name=BATCH_AXIS)`, and `deal` its batches."""
    return jax.pmap(step, axis_name=BATCH_AXIS, in_axes=(None, 0), out_axes=None)


def deal(batch: Batch, devices: int) -> Batch:
    """`[turn, B, ...]` as `pmap` wants it, `[device, turn, B / devices, ...]`.

    Raises:
        BadInput: the devices cannot share the batch evenly.
    """

    def leaf(x: Array) -> Array:
        check_shares(x.shape[1], devices)
        shares = x.reshape(x.shape[0], devices, x.shape[1] // devices, *x.shape[2:])
        return jnp.moveaxis(shares, 1, 0)

    return jax.tree.map(leaf, batch)


def check_shares(batch_size: int, devices: int) -> None:
    """Raises `BadInput` if `devices` cannot share a batch evenly."""
    if batch_size % devices:
        raise BadInput(
            f"a batch of {batch_size} cannot be shared by {devices} devices: make it a multiple of {devices}"
        )
