"""The networks of the timed games in PyTorch, built from the description of their JAX twins.

Padding of strided layers is symmetric here and `SAME` in JAX. At even sizes one of the two rows of padding is then on
the other side, so these networks compute on images turned by 180 degrees: `torch_weights` turns the kernels.
"""

import math
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

Spec = dict[str, Any]


class Float32Linear(nn.Linear):
    """A linear layer that autocast leaves in float32."""

    def forward(self, x: Tensor) -> Tensor:
        """Computes the layer."""
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float())


class SpectralNorm(nn.Module):
    """Divides a weight `[out, ...]` by its largest singular value, after one power iteration.

    As in flax, `u [out]` is kept, and v computed first. PyTorch's own keeps both and computes u first: as many
    operations, but other values while the iteration has not converged.
    """

    def __init__(self, size: int):
        super().__init__()
        self.register_buffer("u", torch.ones(size))

    def forward(self, weight: Tensor) -> Tensor:
        """Normalizes a weight."""
        matrix = weight.flatten(1)
        u, v = self.iterate(matrix)
        return weight / (u @ (matrix @ v))

    @torch.no_grad()
    def iterate(self, matrix: Tensor) -> tuple[Tensor, Tensor]:
        """Improves the singular vectors of a matrix `[out, in]`, and returns both."""
        v = F.normalize(self.u @ matrix, dim=0, eps=1e-12)
        u = F.normalize(matrix @ v, dim=0, eps=1e-12)
        self.u.copy_(u)
        return u, v


def spectral_norm(layer: nn.Module) -> nn.Module:
    """Normalizes the weight of a layer."""
    return parametrize.register_parametrization(layer, "weight", SpectralNorm(len(layer.weight)))


class DenseGenerator(nn.Module):
    """`nets/mlp.py:Generator`."""

    def __init__(self, spec: Spec, shape: tuple[int, int, int]):
        super().__init__()
        widths = (100, *spec["widths"])
        self.hidden = nn.ModuleList(map(nn.Linear, widths, widths[1:]))
        self.norms = nn.ModuleList(nn.BatchNorm1d(width, momentum=1 - spec["momentum"]) for width in widths[1:])
        self.last, self.shape = nn.Linear(widths[-1], math.prod(shape)), shape

    def forward(self, z: Tensor) -> Tensor:
        """Generates images, NCHW."""
        for layer, norm in zip(self.hidden, self.norms, strict=True):
            z = norm(F.leaky_relu(layer(z), 0.2))
        height, width, channels = self.shape
        return torch.tanh(self.last(z).float()).view(-1, height, width, channels).permute(0, 3, 1, 2)


class DenseDiscriminator(nn.Module):
    """`nets/mlp.py:Discriminator`."""

    def __init__(self, spec: Spec, shape: tuple[int, int, int]):
        super().__init__()
        widths = (math.prod(shape), *spec["widths"])
        self.hidden = nn.ModuleList(map(nn.Linear, widths, widths[1:]))
        self.last = Float32Linear(widths[-1], 1)

    def forward(self, x: Tensor) -> Tensor:
        """Scores images."""
        x = x.permute(0, 2, 3, 1).flatten(1)
        for layer in self.hidden:
            x = F.leaky_relu(layer(x), 0.2)
        return self.last(x).squeeze(-1)


class Generator(nn.Module):
    """`nets/dcgan.py:Generator`."""

    def __init__(self, spec: Spec, shape: tuple[int, int, int]):
        super().__init__()
        strides, k, widths = spec["strides"], spec["kernel_size"], (*spec["widths"], spec["channels"])
        sizes = list(accumulate(reversed(strides), lambda side, s: math.ceil(side / s), initial=spec["size"]))[::-1]
        self.base, self.slope = sizes[0], spec["slope"]
        self.first = nn.Linear(100, self.base**2 * widths[0])
        norms = [nn.BatchNorm2d(width, momentum=0.1) if spec["norm"] else nn.Identity() for width in widths[:-1]]
        self.norms, layers = nn.ModuleList(norms), []
        self.memory_format = torch.channels_last
        for i, stride in enumerate(strides):
            pad = (k - 1) // 2
            extra = sizes[i + 1] - ((sizes[i] - 1) * stride - 2 * pad + k)
            layers.append(nn.ConvTranspose2d(widths[i], widths[i + 1], k, stride, pad, output_padding=extra))
        self.layers = nn.ModuleList(layers)

    def forward(self, z: Tensor) -> Tensor:
        """Generates images, NCHW."""
        x = self.first(z).view(len(z), self.base, self.base, -1).permute(0, 3, 1, 2)
        x = x.contiguous(memory_format=self.memory_format)
        x = F.relu(self.norms[0](x))
        for layer, norm in zip(self.layers[:-1], self.norms[1:], strict=True):
            x = F.leaky_relu(norm(layer(x)), self.slope)
        return torch.tanh(self.layers[-1](x).float())


class Discriminator(nn.Module):
    """`nets/dcgan.py:Discriminator`."""

    def __init__(self, spec: Spec, shape: tuple[int, int, int]):
        super().__init__()
        normalized = spectral_norm if spec["spectral"] else lambda layer: layer
        side, _, channels = shape
        k, widths = spec["kernel_size"], (channels, *spec["widths"])
        convolutions = (nn.Conv2d(a, b, k, 2, (k - 1) // 2) for a, b in pairwise(widths))
        self.layers = nn.ModuleList(map(normalized, convolutions))
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(width, momentum=0.1) if spec["norm"] and i else nn.Identity()
            for i, width in enumerate(widths[1:])
        )
        for _ in self.layers:
            side = math.ceil(side / 2)
        self.last = normalized(Float32Linear(side**2 * widths[-1], 1))
        self.slope, self.dropout = spec["slope"], spec["dropout"]

    def forward(self, x: Tensor) -> Tensor:
        """Scores images."""
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = F.dropout(F.leaky_relu(norm(layer(x)), self.slope), self.dropout)
        return self.last(x.flatten(1)).squeeze(-1)


FAMILIES = {"mlp": (DenseGenerator, DenseDiscriminator), "dcgan": (Generator, Discriminator)}


def build(
    game: Spec, device: str, memory_format: torch.memory_format = torch.channels_last
) -> tuple[nn.Module, nn.Module]:
    """Builds generator and discriminator, and asserts that they have as many parameters as their twins."""
    shape = tuple(game["shape"])
    nets = []
    for player, kind in (("g", 0), ("d", 1)):
        net = FAMILIES[game[player]["family"]][kind](game[player], shape)
        net = net.to(device, memory_format=memory_format)
        net.memory_format = memory_format
        count = sum(p.numel() for p in net.parameters())
        assert count == game["parameters"][player], (game["game"], player, count, game["parameters"][player])
        nets.append(net)
    return nets[0], nets[1]
