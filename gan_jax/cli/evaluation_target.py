"""What is judged: a checkpoint of a run, or image files."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax

from gan_jax.errors import BadInput
from gan_jax.evaluation import probes
from gan_jax.evaluation.inputs import Labelled, Networks, Reference, chosen, read
from gan_jax.evaluation.real_data import of_training, open_images
from gan_jax.metrics.features.network import FeatureNet
from gan_jax.runs.digest import digest
from gan_jax.training.restore import restore


class Subject(NamedTuple):
    """Where images come from."""

    about: dict[str, Any]
    """`name`, what it is called in a table, and all that says which one it is."""
    drawn: dict[str, Any]
    """How its samples are drawn: a part of the protocol."""
    draw: Callable[[int], Labelled]
    """`draw(n)`: as many images, or all that there are."""
    networks: Callable[[FeatureNet], Networks] | None = None
    """The networks of a run, as seen through a feature network."""
    reference: Callable[[str], Reference] | None = None
    """A split of the data that a run was trained on."""


def of_run(folder: Path, step: int | None, best: bool, seed: int) -> Subject:
    """A checkpoint of a run. Raises `BadInput` where there is none, or where it makes no images."""
    run = restore(folder, step, best)
    common, key, data = run.experiment.common, jax.random.key(seed), run.manifest.data
    if len(data["shape"]) != 3:
        raise BadInput(f"{folder} makes points: only images are evaluated; gan-jax compare scores points")
    checkpoint = f"best {common.best}" if best else "last" if step is None else f"step {step}"
    return Subject(
        about={
            "name": Path(run.manifest.experiment).stem,
            "run": str(folder),
            "settings": run.manifest.settings,
            "step": int(run.state.step),
            "images": run.images,
            "digest": digest(run.state),
        },
        drawn=probes.drawn(run.game, checkpoint, seed),
        draw=partial(probes.drawer(run.game, key, tuple(data["classes"])), run.state),
        networks=lambda net: probes.networks(run.game, key, net)(run.state),
        reference=partial(of_training, common),
    )


def of_images(path: Path, size: int | None) -> Subject:
    """The images in a folder or archive, or those of a .npz file that `gan-jax sample` wrote."""
    source = open_images(str(path.absolute()), size=size)
    about = {"name": source.name, "path": str(path), "size": source.size}
    return Subject(about, {"files": True, "resized": size}, lambda n: read(source, chosen(source.size, n)))
