"""What is judged: a checkpoint of a run, or image files."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Int

from gan_jax.checkpoint import digest
from gan_jax.data import Source, from_arrays, open_source
from gan_jax.errors import BadInput
from gan_jax.evaluate.features import FeatureNet, Images
from gan_jax.experiment import Common
from gan_jax.game import Game
from gan_jax.judge import networks
from gan_jax.judge.evidence import Networks, Reference, chosen, read
from gan_jax.trained import restore


class Subject(NamedTuple):
    """Where images come from."""

    about: dict[str, Any]
    """`name`, what it is called in a table, and all that says which one it is."""
    drawn: dict[str, Any]
    """How its samples are drawn: a part of the protocol."""
    draw: Callable[[int], tuple[Images, Int[np.ndarray, " n"] | None]]
    """`draw(n)`: images and, where there are some, labels; fewer where there are fewer files."""
    networks: Callable[[FeatureNet], Networks] | None
    """The networks of a run, as seen through a feature network."""
    reference: Callable[[str], Reference] | None
    """A split of the data that a run was trained on."""


def of_run(folder: Path, step: int | None, best: bool, seed: int) -> Subject:
    """A checkpoint of a run. Raises `BadInput` where there is none, or where it makes no images."""
    run = restore(folder, step, best)
    common, key = run.experiment.common, jax.random.key(seed)
    if len(run.manifest.data["shape"]) != 3:
        raise BadInput(f"{folder} makes points: only images are evaluated; gan-jax compare scores points")
    name = Path(run.manifest.experiment).stem
    return Subject(
        about={
            "name": name,
            "run": str(folder),
            "settings": {n: v for n, v in run.manifest.settings.items() if n not in ("run_dir", "data_dir")},
            "step": int(run.state.step),
            "images": run.images,
            "digest": digest(run.state),
        },
        drawn=drawn(run.game, "best" if best else "last" if step is None else f"step {step}", seed),
        draw=partial(networks.drawer(run.game, key), run.state),
        networks=partial(networks.networks, run.game, run.state, key),
        reference=partial(trained_on, common),
    )


def of_images(path: Path, size: int | None) -> Subject:
    """The images in a folder or archive, or those of a .npz file that `gan-jax sample` wrote."""
    source = _of_arrays(path) if path.suffix == ".npz" else open_source(_as_path(path), size=size)

    def draw(n: int) -> tuple[Images, Int[np.ndarray, " n"] | None]:
        return read(source, chosen(source.size, n))

    return Subject({"name": source.name, "path": str(path), "size": source.size}, {"files": True}, draw, None, None)


def drawn(game: Game, checkpoint: str, seed: int) -> dict[str, Any]:
    """How samples of a run are drawn: from which checkpoint, of which network, with which key."""
    averaged = any(player.ema for player in game.players.values())
    return {"checkpoint": checkpoint, "network": "moving average" if averaged else "as trained", "seed": seed}


def trained_on(common: Common, split: str) -> Reference:
    """A split of the data of a run; held out is its split `test`."""
    return _opened(partial(open_source, common.data, common.data_dir, size=common.image_size), split)


def real(name: str, split: str, size: int | None) -> Reference:
    """A split of a data set, or of a folder or archive of images, by its name; held out is its split `test`."""
    return _opened(partial(open_source, name, size=size), split)


def _opened(opened: Callable[..., Source], split: str) -> Reference:
    return Reference(split, opened(split=split), partial(opened, split="test"))


def _as_path(path: Path) -> str:
    """A name that `open_source` takes for a path, whether it exists or not."""
    return str(path.absolute())


def _of_arrays(path: Path) -> Source:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            images, labels = arrays["images"], arrays.get("labels")
    except Exception as error:  # NumPy, zip and zlib raise a dozen kinds
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise BadInput(f"{path} cannot be read as images ({reason}): write it with gan-jax sample --out") from error
    return from_arrays(path.stem, images, labels)
