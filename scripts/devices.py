"""Compares the parameters of one run on 1, 2, 4 and 8 devices after 100 steps.

    python scripts/devices.py
    python scripts/devices.py dcgan --steps 20 --batch-size 64

Noise and the order of the data do not depend on the number of devices; sums over the batch are taken in another order,
and rounded differently. Prints a Markdown table. A CPU simulates eight devices.
"""

import argparse
import os

import jax
import numpy as np
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from gan_jax.config.discovery import find
from gan_jax.config.experiment import schedule_phases
from gan_jax.config.flags import parse
from gan_jax.data import open_source
from gan_jax.engine.game import State
from gan_jax.engine.parallel import make_mesh
from gan_jax.training.train import chunks, new_state

COUNTS = (1, 2, 4, 8)


def after(name: str, steps: int, batch_size: int, devices: int) -> State:
    """Trains for `steps` steps on the first `devices` devices, and returns the state."""
    flags = ["--images", str(steps * batch_size), "--batch-size", str(batch_size), "--log-every", str(steps)]
    build = find(name).load()
    parsed = parse(build, flags, name, given=["source"])
    common = parsed.kwargs["common"]
    source = open_source(common.data)
    [stage] = schedule_phases(build(source, **parsed.kwargs))
    mesh = make_mesh(jax.devices()[:devices])
    state = jax.device_put(new_state(stage.game, source, common), NamedSharding(mesh, P()))
    *_, (_, state, _) = chunks(stage, state, common, source, mesh)
    return state


def apart(a: State, b: State) -> tuple[float, float]:
    """Computes the largest difference of any parameter, and the largest parameter for comparison."""
    params = [{name: player.params for name, player in state.players.items()} for state in (a, b)]
    pairs = list(zip(*map(jax.tree.leaves, params), strict=True))
    return (
        max(float(np.max(np.abs(np.asarray(x, np.float64) - np.asarray(y, np.float64)))) for x, y in pairs),
        max(float(np.max(np.abs(np.asarray(x)))) for x, _ in pairs),
    )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", nargs="?", default="mnist_mlp")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=32)
    args = parser.parse_args()
    if "xla_force_host_platform_device_count" not in os.environ.get("XLA_FLAGS", ""):
        jax.config.update("jax_num_cpu_devices", max(COUNTS))
    found = [n for n in COUNTS if n <= len(jax.devices())]
    states = {n: after(args.experiment, args.steps, args.batch_size, n) for n in found}
    print("| devices | largest difference of a parameter from that on one device | largest parameter |")
    print("| --- | --- | --- |")
    for n, state in states.items():
        difference, size = apart(state, states[1])
        print(f"| {n} | {difference:.2g} | {size:.2g} |")
    print(f"\n`{args.experiment}`, {args.steps} steps of {args.batch_size} images, {jax.devices()[0].device_kind}")


if __name__ == "__main__":
    main()
