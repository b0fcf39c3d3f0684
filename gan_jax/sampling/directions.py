"""Directions of a latent space, in which samples change: their unit, and their files."""

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from gan_jax.errors import BadInput
from gan_jax.runs.files import save_npz


class Direction(NamedTuple):
    """A direction in the latent space of a run."""

    name: str
    method: str
    """What found it: `sefa`, `pca`, `logistic regression`."""
    attribute: str
    """The word of the attribute that it is of, or empty."""
    run: str
    """The identity of the run, `RunDir.identity`."""
    vector: Float[np.ndarray, " W"]
    """One unit of strength: a standard deviation of w along the direction."""


def in_units(direction: Float[np.ndarray, " W"], w: Float[np.ndarray, "N W"]) -> Float[np.ndarray, " W"]:
    """Scales a direction to one standard deviation of `w` along it, so that a strength means the same everywhere.

    Raises:
        BadInput: `w` does not vary along it.
    """
    unit = direction / np.linalg.norm(direction)
    vector = unit * np.std(w @ unit)
    if not np.linalg.norm(vector) > 0:
        raise BadInput("the latents do not vary along this direction: train the run for longer")
    return vector.astype(np.float32)


def save_direction(folder: Path, direction: Direction) -> None:
    """Writes a direction as `NAME.npz`."""
    save_npz(folder / f"{direction.name}.npz", {name: np.array(value) for name, value in direction._asdict().items()})


def find_direction(folder: Path, word: str, run: str) -> Direction:
    """Reads a direction of the run of this identity: a name in `folder`, or a file.

    Raises:
        BadInput: there is none, the file is damaged, or it is of another run.
    """
    if not word.endswith(".npz"):
        known = sorted(file.stem for file in folder.glob("*.npz"))
        if word not in known:
            choice = f"choose one of {', '.join(known)}, or find others" if known else "find some"
            raise BadInput(f"unknown direction {word!r}: {choice} with gan-jax directions RUN")
    file = Path(word) if word.endswith(".npz") else folder / f"{word}.npz"
    direction = _load(file)
    if direction.run != run:
        raise BadInput(f"{file} is a direction of another run: find those of this one with gan-jax directions RUN")
    return direction


def _load(file: Path) -> Direction:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file} cannot be read ({error.strerror}): give a name, or a file of a direction") from error
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            words = [str(arrays[field]) for field in ("name", "method", "attribute", "run")]
            vector = arrays["vector"].astype(np.float32)
    except Exception as error:  # NumPy and zipfile raise many types for a damaged archive
        raise BadInput(f"{file} holds no direction: write it with gan-jax directions RUN") from error
    if vector.ndim != 1 or not np.isfinite(vector).all():
        raise BadInput(f"{file} holds no direction of finite numbers: write it with gan-jax directions RUN")
    return Direction(*words, vector)
