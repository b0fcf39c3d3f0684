"""Toy worlds: points in the plane, or on the line, whose distribution is known; and points of one's own, from a file.

Every world is drawn anew when it is opened, from numpy's `RandomState`, whose stream never changes (NEP 19), with one
fixed seed, in float64, and rounded to float32: the same bytes always. A world with modes has equally many points of
each, labeled with their mode.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from gan_jax.data.source import Source, from_points
from gan_jax.errors import BadInput

POINTS = 100_000
"""How many points a world has by default, as in Lin et al. 2018, "PacGAN"."""

FILES = (".npy", ".npz")


class Modes(NamedTuple):
    """A mixture of Gaussians of equal weight and standard deviation `std`, the same in every direction."""

    centers: Float[np.ndarray, "M D"]
    std: float


def ring_modes() -> Modes:
    """Eight on a circle of radius 2, from the right anticlockwise, variance 1e-4.

    The radius is that of Metz et al. 2017, "Unrolled generative adversarial networks" (std 0.02), the variance that of
    Lin et al. 2018, "PacGAN" (radius 1).
    """
    angle = 2 * np.pi * np.arange(8) / 8
    return Modes(2 * np.stack([np.cos(angle), np.sin(angle)], axis=1), 0.01)


def grid_modes() -> Modes:
    """Twenty-five on the grid {-4, -2, 0, 2, 4} x {-4, -2, 0, 2, 4}, variance 0.0025 (Lin et al. 2018, "PacGAN")."""
    ticks = np.arange(-4.0, 5.0, 2.0)
    return Modes(np.stack(np.meshgrid(ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 2), 0.05)


def ring(n: int = POINTS) -> Source:
    """`n` points of the mixture `ring_modes`, labeled 0 to 7."""
    return _mixture("ring", ring_modes(), n)


def grid(n: int = POINTS) -> Source:
    """`n` points of the mixture `grid_modes`, labeled 0 to 24, column by column."""
    return _mixture("grid", grid_modes(), n)


def spiral(n: int = POINTS) -> Source:
    """`n` points along r = angle / 2 pi, two turns out from the origin, nearly evenly by length; noise of std 0.05."""
    random = _random()
    turns = 2 * np.sqrt(random.random_sample(n))  # length grows with the square of the angle
    angle = 2 * np.pi * turns
    curve = turns[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return from_points("spiral", curve + 0.05 * random.standard_normal((n, 2)))


def moons(n: int = POINTS) -> Source:
    """`n` points of two half circles of radius 1 that reach into each other, around the origin; noise of std 0.05."""
    random = _random()
    angle = np.pi * random.random_sample(n)
    arc = np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], axis=1)
    side = np.where(np.arange(n) % 2, -1, 1)  # each moon is the other one turned by half a turn
    return from_points("moons", side[:, None] * arc + 0.05 * random.standard_normal((n, 2)))


def dirac(n: int = POINTS) -> Source:
    """`n` times the point 0 on the line: the data of the Dirac-GAN.

    Mescheder et al. 2018, "Which training methods for GANs do actually converge?", Definition 2.1.
    """
    return from_points("dirac", np.zeros((n, 1)))


WORLDS: dict[str, Callable[[], Source]] = {
    "ring": ring,
    "grid": grid,
    "spiral": spiral,
    "moons": moons,
    "dirac": dirac,
}
"""The worlds by the names that `open_source` knows them by."""

MODES: dict[str, Callable[[], Modes]] = {"ring": ring_modes, "grid": grid_modes}
"""The modes of those worlds that have some."""


def points_source(path: str | Path) -> Source:
    """The points of a .npy file, or of the array `x` in a .npz file: floats `[N, D]`.

    Raises:
        BadInput: no such file, a damaged one, another rank or type, or points that are not finite.
    """
    try:
        loaded = np.load(Path(path).expanduser(), allow_pickle=False)
        arrays = {"x": loaded} if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in loaded.files}
    except Exception as error:  # NumPy, zip and zlib raise a dozen kinds
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise BadInput(f"{path} cannot be read as floats [N, D] ({reason}): write it with numpy.save") from error
    if "x" not in arrays:
        raise BadInput(f"{path} holds no array x [N, D], but {', '.join(arrays) or 'nothing'}: save the points as x")
    return from_points(str(path), arrays["x"])


def _mixture(name: str, modes: Modes, n: int) -> Source:
    y = np.arange(n) % len(modes.centers)
    x = modes.centers[y] + modes.std * _random().standard_normal((n, modes.centers.shape[1]))
    return from_points(name, x, y, tuple(str(mode) for mode in range(len(modes.centers))))


def _random() -> np.random.RandomState:
    return np.random.RandomState(0)
