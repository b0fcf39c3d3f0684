"""Times games in PyTorch: `python torch_rates.py SPECS KIND SECONDS`, KIND eager or compile. Prints a JSON line each.

Started by `peers.py`, in a process of its own: its memory is free for JAX afterwards, and it may be ended.
"""

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

sys.path.append(str(Path(__file__).parents[1]))  # of the package `twins`
from twins.torch_nets import Spec, build
from twins.torch_step import images, make_step, random_draw


def prepare(game: Spec, dtype: str, compiled: bool, device: str) -> Callable[[], object]:
    """Makes the function that plays all turns of one step, on 5,000 random images on the device."""
    nets = build(game, device)
    if compiled:
        torch._dynamo.reset()  # it compiles a function a few times only, and the games share classes
    data = torch.randint(0, 256, (5000, *game["shape"]), dtype=torch.uint8, device=device)

    def real() -> Tensor:
        return images(data[torch.randint(len(data), (game["batch"],), device=device)])

    return make_step(game, nets, random_draw(game, real, device), dtype, compiled)


def capture(step: Callable[[], object]) -> Callable[[], object]:
    """Captures a step in a CUDA graph, and returns its replay."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def measure(step: Callable[[], object], seconds: float, synchronize: Callable[[], object]) -> dict:
    """Measures steps per second: the median over rounds of about a fifth of a second."""

    def timed(steps: int) -> float:
        synchronize()
        begin = time.perf_counter()
        for _ in range(steps):
            step()
        synchronize()
        return (time.perf_counter() - begin) / steps

    timed(5)
    steps = max(2, int(min(seconds, 0.2) / timed(5)))
    rates, begin = [], time.perf_counter()
    while len(rates) < 5 or time.perf_counter() - begin < seconds:
        rates.append(1 / timed(steps))
    low, _, high = statistics.quantiles(rates, n=4)
    return {"steps_per_s": statistics.median(rates), "quartiles": [low, high], "rounds": len(rates)}


def variants(game: Spec, dtype: str, compiled: bool, device: str, seconds: float):
    """Yields the result of a game as it is, and captured in a CUDA graph."""
    step, name = prepare(game, dtype, compiled, device), "compile" if compiled else "eager"
    synchronize = torch.cuda.synchronize if device == "cuda" else lambda: None
    begin = time.perf_counter()
    for _ in range(3):
        step()
    synchronize()
    first = time.perf_counter() - begin
    yield {"variant": name, "first_steps_s": first, **measure(step, seconds, synchronize)}
    if device == "cuda":
        replay = capture(step)
        yield {"variant": "compile graph" if compiled else "graph", **measure(replay, seconds, synchronize)}


def main() -> None:
    """Times every game in both dtypes until the seconds are over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("specs", type=Path)
    parser.add_argument("kind", choices=("eager", "compile"))
    parser.add_argument("seconds", type=float)
    parser.add_argument("--toy", action="store_true")
    args = parser.parse_args()
    end, device = time.monotonic() + args.seconds, "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.benchmark = True
    specs = json.loads(args.specs.read_text())
    specs = specs[-1:] if args.toy and args.kind == "compile" else specs  # half a minute each on a CPU
    for dtype in ("float32", "bfloat16"):
        for game in specs:
            if time.monotonic() > end:
                sys.exit("the time is over")
            about = {"game": game["game"], "dtype": dtype, "torch": torch.__version__}
            try:
                for row in variants(game, dtype, args.kind == "compile", device, 0.05 if args.toy else 1.5):
                    print(json.dumps(about | row), flush=True)
            except Exception as error:
                name = "graph" if args.kind == "eager" else "compile"
                print(json.dumps(about | {"variant": name, "error": f"{type(error).__name__}: {error}"}), flush=True)
            gc.collect()


if __name__ == "__main__":
    main()
