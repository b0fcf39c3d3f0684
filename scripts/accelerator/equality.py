"""Checks that what must be equal on an accelerator is: forms of convolutions, parallel modes, and repeated runs."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path

import games
import jax
import jax.numpy as jnp
import optax
from rates import start

from gan_jax.engine.game import State
from gan_jax.engine.parallel import BATCH_AXIS, deal, make_mesh, over_devices, over_pmap, over_seeds, over_shards
from gan_jax.engine.step import init, make_step
from gan_jax.games import vanilla
from gan_jax.nets import dcgan, mlp
from gan_jax.nets.layers import convolution
from gan_jax.runs.digest import digest
from gan_jax.runs.provenance import compute_repeatably

TOLERANCE = 5e-5
"""Largest relative error, in the norm, of float32 at the highest precision; TF32's error is about 3e-4."""

PARALLEL_TOLERANCE = 1e-2
"""Largest distance from the jitted step, relative to the distance travelled; a wrong scale gives more than 0.1.

XLA chooses cuDNN's algorithms by timing, anew for every program: the step and `over_devices`, which have the same
operations, were 2e-3 apart on an H200.
"""

LAYERS = {  # function, kernel size, stride, channels, side of the input and of the output
    "conv 5x5 / 2": (convolution.conv, 5, 2, (64, 128), 14, 7),
    "conv 5x5 / 2, odd": (convolution.conv, 5, 2, (128, 256), 7, 4),
    "conv 3x3, fewer channels out": (convolution.conv, 3, 1, (128, 64), 14, 14),
    "transposed 5x5 / 2": (convolution.conv_transpose, 5, 2, (128, 64), 14, 28),
    "transposed 5x5 / 2, odd": (convolution.conv_transpose, 5, 2, (256, 128), 4, 7),
    "transposed 3x3": (convolution.conv_transpose, 3, 1, (128, 64), 14, 14),
}


def section(report) -> None:
    """Runs all checks; the processes of the determinism check work in the background of the others."""
    children = {f"{kind} {i}": _child(report, kind) for kind in ("deterministic", "default") for i in (1, 2)}
    # For all threads: `jax.default_matmul_precision` holds in one.
    jax.config.update("jax_default_matmul_precision", "highest")
    try:
        for name, error in convolution_errors(batch=2 if report.toy else 64, divide=16 if report.toy else 1).items():
            report.check(f"{name}: products against library, values and gradients", error, TOLERANCE)
        for name, error in parallel_errors(batch=8 if report.toy else 64, toy=report.toy).items():
            report.check(f"{name} against one jitted step, 3 steps", error, PARALLEL_TOLERANCE)
        jax.config.update("jax_default_matmul_precision", None)
        _compare_digests(report, children)
    finally:
        jax.config.update("jax_default_matmul_precision", None)
        for child in children.values():
            child.kill()


def convolution_errors(batch: int, divide: int) -> dict[str, float]:
    """Computes, for every layer, the largest relative error of output and gradients between the two forms."""
    lowered, arguments = {}, {}
    own = convolution.products_are_faster
    try:
        for name in LAYERS:
            layer, arguments[name] = _layer(name, batch, divide)
            for products in (True, False):
                convolution.products_are_faster = lambda products=products: products
                # A new function each time: `jit` would trace the same one once.
                both = jax.jit(lambda x, kernel, dy, f=layer: (f(x, kernel), *jax.vjp(f, x, kernel)[1](dy)))
                lowered[name, products] = both.lower(*arguments[name])
    finally:
        convolution.products_are_faster = own
    with ThreadPoolExecutor(8) as pool:
        compiled = dict(zip(lowered, pool.map(lambda each: each.compile(), lowered.values()), strict=True))

    def results(name: str, products: bool) -> tuple[jax.Array, ...]:
        return compiled[name, products](*arguments[name])

    return {name: max(map(relative, results(name, True), results(name, False))) for name in LAYERS}


def _layer(name: str, batch: int, divide: int) -> tuple[Callable, tuple[jax.Array, ...]]:
    """Makes a layer's function, and its random input, kernel and cotangent."""
    convolve, k, stride, channels, side, side_out = LAYERS[name]
    c_in, c_out = (c // divide for c in channels)
    keys = jax.random.split(jax.random.key(0), 3)
    x = jax.random.normal(keys[0], (batch, side, side, c_in))
    kernel = jax.random.normal(keys[1], (k, k, c_in, c_out)) / (k * c_in**0.5)
    cotangent = jax.random.normal(keys[2], (batch, side_out, side_out, c_out))
    options = {"size": (side_out, side_out)} if convolve is convolution.conv_transpose else {}
    return partial(convolve, stride=stride, **options), (x, kernel, cotangent)


def relative(a: jax.Array, b: jax.Array) -> float:
    """Computes |a - b| / |b|."""
    return float(jnp.linalg.norm(jnp.ravel(a - b)) / jnp.linalg.norm(jnp.ravel(b)))


def parallel_errors(batch: int, toy: bool) -> dict[str, float]:
    """Computes the distance of each parallel mode from one jitted step, relative to the distance travelled.

    With SGD: Adam divides the gradients that batch norm makes zero, which are rounding errors, by themselves.
    """
    pair, sgd = dcgan.paper((28, 28, 1), width=16), optax.sgd(1e-2)
    g, d = (mlp.Generator(widths=(8,)), mlp.Discriminator(widths=(8,))) if toy else pair
    game = vanilla.game(g, d, sgd, sgd, ema=0.99)
    data = {"x": jax.random.uniform(jax.random.key(1), (3, 1, batch, 28, 28, 1), minval=-1.0)}
    batches = [jax.tree.map(lambda leaf, i=i: leaf[i], data) for i in range(3)]
    first, mesh = init(game, jax.random.key(0), batches[0]), make_mesh(jax.devices()[:1])
    step, collective = make_step(game), make_step(game, BATCH_AXIS)
    pmapped = over_pmap(collective)

    def seeds(state: State, batch: dict) -> tuple:
        """Plays the same run in two lanes, and returns the second."""
        both = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), (state.key, state.players, batch))
        lanes, metrics = jax.jit(over_seeds(step))(State(state.step, *both[:2]), both[2])
        key, players = jax.tree.map(lambda leaf: leaf[1], (lanes.key, lanes.players))
        return State(lanes.step, key, players), metrics

    modes = {
        "step": jax.jit(step),
        "the same step compiled again": jax.jit(make_step(game)),
        "over_devices": over_devices(step, mesh),
        "over_shards": over_shards(collective, mesh),
        "over_pmap": lambda state, batch: pmapped(state, deal(batch, 1)),
        "over_seeds": seeds,
    }
    with ThreadPoolExecutor(8) as pool:
        ends = dict(zip(modes, pool.map(lambda mode: _play(mode, first, batches), modes.values()), strict=True))
    reference = ends.pop("step")
    travelled = _distance(reference, first)
    return {name: _distance(end, reference) / travelled for name, end in ends.items()}


def _play(step, state: State, batches: list) -> State:
    for batch in batches:
        state, _ = step(state, batch)
    return jax.device_get(state._replace(key=None))


def _distance(a: State, b: State) -> float:
    leaves = zip(*(jax.tree.leaves({n: p.params for n, p in s.players.items()}) for s in (a, b)), strict=True)
    return float(jnp.sqrt(sum(jnp.sum(jnp.square(x - y)) for x, y in leaves)))


def trained_digest(data: Path | None, toy: bool, deterministic: bool) -> str:
    """Trains DCGAN for two chunks, and returns the digest of its state; `deterministic` as the flag of `train`."""
    if deterministic:
        compute_repeatably()
    source = games.open_data(data)
    run = start(games.build("mnist_mlp" if toy else "dcgan full", source, "float32", toy), source)
    run.compile()
    [*_, (_, state, _)] = islice(run.chunks(), 2)
    return digest(state)


def _child(report, kind: str) -> subprocess.Popen:
    """Starts a process that trains and prints its digest."""
    data = ["--data", str(report.data)] if report.data else []
    command = [sys.executable, str(Path(__file__).parent), "--digest", kind, *data, *(["--toy"] if report.toy else [])]
    environment = os.environ | {"XLA_PYTHON_CLIENT_MEM_FRACTION": "0.08"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def _compare_digests(report, children: dict[str, subprocess.Popen]) -> None:
    """Compares the digests of each kind's two processes; only deterministic runs must be equal."""
    found = {}
    for name, child in children.items():
        out, err = child.communicate(timeout=max(10, min(180, report.left())))
        if child.returncode:
            raise RuntimeError(f"the process of the digest {name} failed: {err[-400:]}")
        found[name] = out.split()[-1]
    report.results["digests"] = found
    report.check("--deterministic twice, digests", float(found["deterministic 1"] != found["deterministic 2"]), 0.0)
    equal = found["default 1"] == found["default 2"]
    report.note(f"without --deterministic, the digests of two processes are {'equal' if equal else 'different'}")
