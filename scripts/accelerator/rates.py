"""Measures steps per second as `gan-jax train` takes them, of one run and of many seeds, and the device's peak."""

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import Any

import games
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, SingleDeviceSharding
from jax.sharding import PartitionSpec as P

from gan_jax.data import Source, device_resident, shuffle
from gan_jax.engine.game import State, slice_count
from gan_jax.engine.parallel import SEEDS, make_mesh
from gan_jax.training.chunk import over_steps
from gan_jax.training.loop import longest_part, run_chunks
from gan_jax.training.train import abstract_batch, new_state
from twins.games import Built, parameters


@dataclass
class Run:
    """A run that is ready to be compiled and played."""

    built: Built
    lowered: Callable[[], Any]
    state: State
    stream: Callable
    arrays: Any
    placement: NamedSharding
    compiled: Any = None
    compile_seconds: float = 0.0
    parameters: dict[str, int] = field(default_factory=dict)

    def compile(self) -> None:
        """Compiles the chunk, ahead of its first call."""
        begin = time.monotonic()
        self.compiled = self.lowered().compile()
        self.compile_seconds = time.monotonic() - begin

    def chunks(self) -> Iterator:
        """Plays chunks of steps with the loop of `train`."""

        def dispatch(state, inputs, n, _):
            return self.compiled(state, self.arrays, inputs, n)

        return run_chunks(dispatch, self.state, self.built.stage, self.built.common, self.stream, self.placement)


def start(built: Built, source: Source, seeds: int = 0) -> Run:
    """Prepares a run as `training/train.py:chunks` does, or `seeds` runs in one program as `sweep` does."""
    stage, common, _ = built
    everywhere = NamedSharding(make_mesh(jax.devices()[:1]), P())
    slices = slice_count(stage.game)
    pipeline = device_resident(source, common.seed, slices, common.batch_size)
    play, stream = over_steps(stage.phase.step, pipeline.load), pipeline.stream
    state = new_state(stage.game, source, common)
    if seeds:
        play = jax.vmap(play, (SEEDS, None, 1, None), (SEEDS, 0))
        stream = partial(_streams, source, slices, common.batch_size, seeds)
        states = [new_state(stage.game, source, replace(common, seed=seed)) for seed in range(seeds)]
        key, players = jax.tree.map(lambda *leaves: jnp.stack(leaves), *((s.key, s.players) for s in states))
        state = State(state.step, key, players)
    state, arrays = jax.device_put((state, pipeline.arrays), everywhere)
    chunk = jax.jit(play, donate_argnums=0, out_shardings=everywhere)
    steps = longest_part(stage, common)
    inputs = jax.device_put(next(iter(stream([range(steps)]))), everywhere)
    lowered = partial(chunk.lower, state, arrays, inputs, jnp.int32(steps))
    return Run(built, lowered, state, stream, arrays, everywhere, parameters=parameters(state))


def _streams(source: Source, slices: int, batch: int, seeds: int, ranges) -> Iterator[np.ndarray]:
    """Yields every seed's indices, `[n, seed, turn, B]`."""
    for steps in ranges:
        each = [shuffle.indices(seed, source.size, steps, slices, batch) for seed in range(seeds)]
        yield np.stack(each, axis=1)


def compile_all(report, makes: dict[str, Callable[[], Run]]) -> dict[str, Run]:
    """Prepares and compiles all runs at the same time, and plays none: an accelerator's compiler times kernels."""

    def ready(make: Callable[[], Run]) -> Run:
        run = make()
        run.compile()
        return run

    with ThreadPoolExecutor(2 if report.toy else 6) as pool:
        futures, runs = {name: pool.submit(ready, make) for name, make in makes.items()}, {}
        for name, future in futures.items():
            with report.catching(name):
                runs[name] = future.result()
                report.log(f"compiled {name} in {runs[name].compile_seconds:.0f} s")
    return runs


def measure(run: Run, seconds: float) -> dict[str, float]:
    """Measures steps per second: the median over chunks, each from the end of the chunk before to its own end.

    As in training, the host prepares and dispatches a chunk while the device plays the one before. The first two are
    not counted.
    """
    steps = min(run.built.stage.periods(run.built.common))
    times, before, begin = [], None, time.perf_counter()
    for _, _, metrics in run.chunks():
        if before is not None:
            jax.block_until_ready(before)
            times.append(time.perf_counter())
        before = metrics
        if len(times) >= 6 and times[-1] - begin > seconds:
            break
    jax.block_until_ready(before)
    rates = [steps / (b - a) for a, b in pairwise(times[1:])]
    low, high = np.quantile(rates, [0.25, 0.75])
    finite = all(bool(jnp.isfinite(value).all()) for value in before.values())
    return {"steps_per_s": statistics.median(rates), "quartiles": [low, high], "rounds": len(rates), "finite": finite}


def section(report, source: Source, dtype: str) -> None:
    """Times every game of the table in one dtype."""
    names = games.TOY_COMMANDS if report.toy else games.COMMANDS
    built = {name: games.build(name, source, dtype, report.toy) for name in names}
    runs = compile_all(report, {name: partial(start, each, source) for name, each in built.items()})
    for name, run in runs.items():
        row = {"game": name, "dtype": dtype, "batch": run.built.common.batch_size, "parameters": run.parameters}
        with report.catching(f"{name} {dtype}"):
            row |= measure(run, 0.1 if report.toy else 2.5) | {"compile_s": run.compile_seconds}
            report.results["rates"].append(row)
            row |= step_flops(run, source)
            report.log(f"{name} {dtype}: {row['steps_per_s']:.1f} steps/s, {row['flops'] / 1e9:.3g} GFLOP a step")
        report.write()


def step_flops(run: Run, source: Source) -> dict[str, float]:
    """Counts the floating-point operations of a step by XLA's cost analysis, before and after compilation.

    The first is the algorithm's. It is of the same step lowered for the CPU of this process, for JAX has no analysis of
    what is lowered for other devices. The second, of the compiled chunk, has a loop's body once, and may leave out
    calls of libraries.
    """
    game, common = run.built.stage.game, run.built.common
    [cpu, *_] = jax.devices("cpu")
    state, batch = jax.eval_shape(lambda: new_state(game, source, common)), abstract_batch(game, source, common)
    state, batch = jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=SingleDeviceSharding(cpu)), (state, batch)
    )
    lowered = jax.jit(run.built.stage.phase.step).lower(state, batch).cost_analysis()
    compiled = run.compiled.cost_analysis() or {}
    return {"flops": float(lowered["flops"]), "flops_compiled": float(compiled.get("flops", 0))}


def peak_section(report) -> None:
    """Measures the device's largest rate of operations: products of random square matrices, by precision."""
    n = 256 if report.toy else 8192
    kinds = {
        "float32": ("float32", None),
        "float32 highest": ("float32", "highest"),
        "bfloat16": ("bfloat16", None),
    }
    for name, (dtype, precision) in kinds.items():
        a, b = (jax.random.normal(key, (n, n)).astype(dtype) for key in jax.random.split(jax.random.key(0)))
        product = jax.jit(partial(jnp.matmul, precision=precision))
        jax.block_until_ready(product(a, b))
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            jax.block_until_ready([product(a, b) for _ in range(5)])
            times.append((time.perf_counter() - begin) / 5)
        report.results["peak"][name] = 2 * n**3 / statistics.median(times)
        report.log(f"peak {name}: {report.results['peak'][name] / 1e12:.3g} TFLOP/s")


def seeds_section(report, source: Source) -> None:
    """Times 1, 4 and 16 seeds of the small DCGAN in one program."""
    counts = (1, 2) if report.toy else (1, 4, 16)
    built = games.build("dcgan small", source, "float32", report.toy)
    runs = compile_all(report, {f"{n} seeds": partial(start, built, source, seeds=n) for n in counts})
    for name, run in runs.items():
        n = int(name.split()[0])
        row = {"seeds": n, **measure(run, 0.1 if report.toy else 2.5), "compile_s": run.compile_seconds}
        report.results["seeds"].append(row)
        report.log(f"{n} seeds: {row['steps_per_s']:.1f} steps/s, {n * row['steps_per_s']:.0f} seeds x steps/s")
