"""Times games in PyTorch: `python torch_rates.py SPECS KIND SECONDS`, KIND eager or compile. Prints a JSON line each.

Started by `twins.py`, in a process of its own: its memory is free for JAX afterwards, and it may be ended.
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
from torch.nn import functional as F
from torch_nets import Spec, build

LOSSES = {  # of the discriminator and of the generator, on scores
    "non_saturating": (lambda r, f: F.softplus(-r).mean() + F.softplus(f).mean(), lambda f: F.softplus(-f).mean()),
    "wasserstein": (lambda r, f: f.mean() - r.mean(), lambda f: -f.mean()),
    "hinge": (lambda r, f: F.relu(1 - r).mean() + F.relu(1 + f).mean(), lambda f: -f.mean()),
}


def gradient_penalty(d: Callable, x: Tensor, x_fake: Tensor) -> Tensor:
    """Computes the penalty of WGAN-GP."""
    weight = torch.rand(len(x), 1, 1, 1, device=x.device)
    between = (weight * x + (1 - weight) * x_fake).requires_grad_()
    [gradient] = torch.autograd.grad(d(between).sum(), between, create_graph=True)
    return ((gradient.float().square().flatten(1).sum(1) + 1e-12).sqrt() - 1).square().mean()


def make_step(game: Spec, dtype: str, compiled: bool, device: str) -> Callable[[], None]:
    """Makes the function that plays all turns of one step, on 5,000 random images on the device."""
    g, d = build(game, device)
    own_d = d  # uncompiled, for the penalty
    g_loss_params, ema = list(g.parameters()), [p.detach().clone() for p in g.parameters()]
    rate, b1, b2 = game["adam"]
    options = {"lr": rate, "betas": (b1, b2), "fused": True, "capturable": device == "cuda"}
    optimizers = {"g": torch.optim.Adam(g.parameters(), **options), "d": torch.optim.Adam(d.parameters(), **options)}
    if compiled:
        torch._dynamo.reset()  # it compiles a function a few times only, and the games share classes
        g, d = torch.compile(g), torch.compile(d)
    d_loss, g_loss = LOSSES[game["loss"]]
    data = torch.randint(0, 256, (5000, *game["shape"]), dtype=torch.uint8, device=device)

    def generate() -> Tensor:
        return g(torch.randn(game["batch"], 100, device=device))

    def turn_d() -> Tensor:
        indices = torch.randint(len(data), (game["batch"],), device=device)
        x = (data[indices].float() * (2 / 255) - 1).permute(0, 3, 1, 2)
        with torch.no_grad():
            x_fake = generate()
        loss = d_loss(d(x), d(x_fake))
        return loss + game["penalty"] * gradient_penalty(own_d, x, x_fake) if game["penalty"] else loss

    def play(player: str, loss: Callable[[], Tensor]) -> None:
        own_d.requires_grad_(player == "d")
        optimizers[player].zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, enabled=dtype == "bfloat16"):
            value = loss()
        value.backward()
        optimizers[player].step()

    def step() -> None:
        for player in game["turns"]:
            play(player, turn_d if player == "d" else lambda: g_loss(d(generate())))
        if game["ema"]:
            torch._foreach_lerp_(ema, [p.detach() for p in g_loss_params], 1 - game["ema"])

    return step


def capture(step: Callable[[], None]) -> Callable[[], None]:
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


def measure(step: Callable[[], None], seconds: float, synchronize: Callable[[], None]) -> dict:
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
    step, name = make_step(game, dtype, compiled, device), "compile" if compiled else "eager"
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
