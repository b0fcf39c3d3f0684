"""Toy data: points from known distributions in the plane or on the line.

Points are drawn whenever a source is opened, by numpy's `RandomState(0)`, whose stream never changes (NEP 19), in
float64, and rounded to float32: always the same bytes. Mixtures have equally many points of each mode, with the mode
as label.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from gan_jax.data.source import Source, from_points

POINTS = 100_000
"""Default number of points, as in Lin et al. 2018, "PacGAN", https://arxiv.org/abs/1712.04086."""


class Modes(NamedTuple):
    """A mixture of isotropic Gaussians of equal weight and standard deviation `std`."""

    centers: Float[np.ndarray, "M D"]
    std: float


def ring_modes() -> Modes:
    """Returns 8 modes of variance 1e-4 on a circle of radius 2, counterclockwise from the right.

    The radius is from Metz et al. 2017, "Unrolled generative adversarial networks", https://arxiv.org/abs/1611.02163
    (std 0.02), the variance from Lin et al. 2018, "PacGAN" (radius 1).
    """
    angle = 2 * np.pi * np.arange(8) / 8
    return Modes(2 * np.stack([np.cos(angle), np.sin(angle)], axis=1), 0.01)


def grid_modes() -> Modes:
    """Returns 25 modes of variance 0.0025 on the grid {-4, -2, 0, 2, 4}^2 (Lin et al. 2018, "PacGAN")."""
    ticks = np.arange(-4.0, 5.0, 2.0)
    return Modes(np.stack(np.meshgrid(ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 2), 0.05)


def ring(n: int = POINTS) -> Source:
    """Draws `n` points of the mixture `ring_modes`, with labels 0 to 7."""
    return _mixture("ring", ring_modes(), n)


def grid(n: int = POINTS) -> Source:
    """Draws `n` points of the mixture `grid_modes`, with labels 0 to 24, column by column."""
    return _mixture("grid", grid_modes(), n)


def spiral(n: int = POINTS) -> Source:
    """Draws `n` points of two turns of r = angle / 2 pi, nearly uniform in length, plus noise of std 0.05."""
    random = _random()
    turns = 2 * np.sqrt(random.random_sample(n))  # length grows with the square of the angle
    angle = 2 * np.pi * turns
    curve = turns[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return from_points("spiral", curve + 0.05 * random.standard_normal((n, 2)))


def moons(n: int = POINTS) -> Source:
    """Draws `n` points of two interleaved half circles of radius 1, centered at the origin, plus noise of std 0.05."""
    random = _random()
    angle = np.pi * random.random_sample(n)
    arc = np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], axis=1)
    side = np.where(np.arange(n) % 2, -1, 1)  # each moon is the other rotated by 180 degrees
    return from_points("moons", side[:, None] * arc + 0.05 * random.standard_normal((n, 2)))


def dirac(n: int = POINTS) -> Source:
    """Repeats the point 0 on the line `n` times: the data of the Dirac-GAN.

    Mescheder et al. 2018, "Which training methods for GANs do actually converge?", Definition 2.1,
    https://arxiv.org/abs/1801.04406.
    """
    return from_points("dirac", np.zeros((n, 1)))


TOY_DATA: dict[str, Callable[[], Source]] = {
    "ring": ring,
    "grid": grid,
    "spiral": spiral,
    "moons": moons,
    "dirac": dirac,
}
"""Toy data sets by name, for `open_source`."""

MODES: dict[str, Callable[[], Modes]] = {"ring": ring_modes, "grid": grid_modes}
"""Modes of the mixtures, by name."""


def _mixture(name: str, modes: Modes, n: int) -> Source:
    y = np.arange(n) % len(modes.centers)
    x = modes.centers[y] + modes.std * _random().standard_normal((n, modes.centers.shape[1]))
    return from_points(name, x, y, tuple(str(mode) for mode in range(len(modes.centers))))


def _random() -> np.random.RandomState:
    return np.random.RandomState(0)
