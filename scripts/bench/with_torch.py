"""A game in PyTorch: eager, with either memory format, or compiled."""

import os
import shutil

import torch
from torch import nn

from bench.contender import Arrays, Contender, Missing, Spec, averaged, shuffled, weights, without_dropout
from twins import torch_nets, torch_weights
from twins.torch_step import Draw, images, make_step, random_draw


def limit(threads: int) -> None:
    """Sets the number of threads."""
    torch.set_num_threads(threads)


def make(spec: Spec, arrays: Arrays, channels_last: bool, compiled: bool = False) -> Contender:
    """Prepares a game. Raises `Missing` without the C++ compiler that `torch.compile` calls."""
    compiler = os.environ.get("CXX", "g++")
    if compiled and not shutil.which(compiler):
        raise Missing(f"torch.compile needs a C++ compiler, and there is no {compiler}")
    memory_format = torch.channels_last if channels_last else torch.contiguous_format
    nets, data, order = build(spec, arrays, memory_format), torch.from_numpy(arrays["images"]), shuffled(arrays, spec)
    draw = random_draw(spec, lambda: images(data[torch.from_numpy(next(order))]), "cpu")
    step = make_step(spec, nets, draw, compiled=compiled)

    def run(steps: int) -> None:
        for _ in range(steps):
            step()

    def first_losses() -> dict[str, float]:
        if not spec["d"].get("dropout"):
            return averaged(make_step(spec, nets, given(spec, arrays), compiled=compiled)())
        other = without_dropout(spec)  # uncompiled: it would take as long again
        return averaged(make_step(other, build(other, arrays, memory_format), given(spec, arrays))())

    return Contender(first_losses, run)


def build(spec: Spec, arrays: Arrays, memory_format: torch.memory_format) -> tuple[nn.Module, nn.Module]:
    """Builds both networks, with the reference's weights."""
    nets = torch_nets.build(spec, "cpu", memory_format)
    for player, net in zip(("g", "d"), nets, strict=True):
        torch_weights.load(net, weights(arrays, player))
    return nets


def given(spec: Spec, arrays: Arrays) -> Draw:
    """Draws the reference's inputs."""
    real = iter(arrays["x"])
    z, mix = torch.from_numpy(arrays["z"]), torch.from_numpy(arrays["mix"]).view(-1, 1, 1, 1)
    turned = spec["d"]["family"] == "dcgan"
    return Draw(lambda: torch_weights.images(next(real), turned), lambda: z, lambda: mix)
