"""One training step of a described game in PyTorch: every turn, fused Adam, and the moving average."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from twins.torch_nets import Spec, SpectralNorm

LOSSES = {  # of the discriminator and of the generator, on scores
    "non_saturating": (lambda r, f: F.softplus(-r).mean() + F.softplus(f).mean(), lambda f: F.softplus(-f).mean()),
    "wasserstein": (lambda r, f: f.mean() - r.mean(), lambda f: -f.mean()),
    "hinge": (lambda r, f: F.relu(1 - r).mean() + F.relu(1 + f).mean(), lambda f: -f.mean()),
}

Losses = list[tuple[str, Tensor]]
"""The player and the loss of every turn of a step."""


class Draw(NamedTuple):
    """The inputs of a turn."""

    real: Callable[[], Tensor]
    """Draws real images, NCHW."""
    latents: Callable[[], Tensor]
    mix: Callable[[], Tensor]
    """Draws the weights of the gradient penalty, `[B, 1, 1, 1]`."""


def random_draw(game: Spec, real: Callable[[], Tensor], device: str) -> Draw:
    """Draws latents and weights at random."""
    latents, mix = (game["batch"], 100), (game["batch"], 1, 1, 1)
    return Draw(real, lambda: torch.randn(latents, device=device), lambda: torch.rand(mix, device=device))


def images(examples: Tensor) -> Tensor:
    """Scales uint8 `[B, H, W, C]` to NCHW in [-1, 1]."""
    return (examples.float() * (2 / 255) - 1).permute(0, 3, 1, 2)


def gradient_penalty(d: Callable, x: Tensor, x_fake: Tensor, weight: Tensor) -> Tensor:
    """Computes the penalty of WGAN-GP."""
    between = (weight * x + (1 - weight) * x_fake).requires_grad_()
    [gradient] = torch.autograd.grad(d(between).sum(), between, create_graph=True)
    return ((gradient.float().square().flatten(1).sum(1) + 1e-12).sqrt() - 1).square().mean()


def make_step(
    game: Spec, nets: tuple[nn.Module, nn.Module], draw: Draw, dtype: str = "float32", compiled: bool = False
) -> Callable[[], Losses]:
    """Makes the function that plays all turns of one step; the penalty is never compiled: it is differentiated."""
    own_g, own_d = nets
    g, d = map(torch.compile, nets) if compiled else nets
    averaged, ema = list(own_g.parameters()), [p.detach().clone() for p in own_g.parameters()]
    device = averaged[0].device.type
    rate, b1, b2 = game["adam"]
    options = {"lr": rate, "betas": (b1, b2), "fused": True, "capturable": device == "cuda"}
    optimizers = {name: torch.optim.Adam(net.parameters(), **options) for name, net in (("g", own_g), ("d", own_d))}
    norms = [(p.weight[0], p.weight.original) for p in _parametrizations(own_d)]
    d_loss, g_loss = LOSSES[game["loss"]]

    def turn_d() -> Tensor:
        x = draw.real()
        with torch.no_grad():
            x_fake = g(draw.latents())
        loss = d_loss(d(x), d(x_fake))
        penalty = game["penalty"]
        return loss + penalty * gradient_penalty(own_d, x, x_fake, draw.mix()) if penalty else loss

    def turn_g() -> Tensor:
        # In the game, this turn also scores real images: of that remains what it does to the scores of fakes.
        for norm, weight in norms:
            norm.iterate(weight.flatten(1))
        return g_loss(d(g(draw.latents())))

    def play(player: str, loss: Callable[[], Tensor]) -> Tensor:
        own_d.requires_grad_(player == "d")
        optimizers[player].zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, enabled=dtype == "bfloat16"):
            value = loss()
        value.backward()
        optimizers[player].step()
        return value.detach()

    def step() -> Losses:
        losses = []
        for player in game["turns"]:
            vectors = [norm.u.clone() for norm, _ in norms]
            losses.append((player, play(player, turn_d if player == "d" else turn_g)))
            if player == "g":  # only those who move keep their statistics
                for (norm, _), vector in zip(norms, vectors, strict=True):
                    norm.u.copy_(vector)
        if game["ema"]:
            torch._foreach_lerp_(ema, [p.detach() for p in averaged], 1 - game["ema"])
        return losses

    return step


def _parametrizations(net: nn.Module) -> list[nn.Module]:
    """Lists the parametrizations of the layers with spectral norm."""
    layers = (layer for layer in net.modules() if hasattr(layer, "parametrizations"))
    return [layer.parametrizations for layer in layers if isinstance(layer.parametrizations.weight[0], SpectralNorm)]
