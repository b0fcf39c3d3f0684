"""The target of `gan-jax evaluate`: a checkpoint of a run, or image files."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax

from gan_jax.data.source import describe_source
from gan_jax.errors import BadInput
from gan_jax.evaluation import probes
from gan_jax.evaluation.inputs import LabeledImages, Probes, Reference, read_images, subset_indices
from gan_jax.evaluation.real_data import open_images, training_reference
from gan_jax.metrics.features.network import FeatureNet
from gan_jax.runs.digest import digest
from gan_jax.runs.run_data import run_data
from gan_jax.training.restore import restore


class EvaluationTarget(NamedTuple):
    """A source of images to evaluate."""

    about: dict[str, Any]
    """`name`, the label in tables, and the run or path."""
    drawn: dict[str, Any]
    """How samples are drawn: part of the protocol."""
    draw: Callable[[int], LabeledImages]
    """`draw(n)`: `n` images, or all if there are fewer."""
    probes: Callable[[FeatureNet], Probes] | None = None
    """The probes of a run's networks, with features of the given network."""
    reference: Callable[[str], Reference] | None = None
    """Opens a split of the data that the run was trained on."""
    found: str = ""
    """What the files were taken for, and what was left out; empty for a run."""


def run_target(folder: Path, step: int | None, best: bool, seed: int) -> EvaluationTarget:
    """Restores a checkpoint of a run. Raises `BadInput` if it is missing, or if the run does not make images."""
    run = restore(folder, step, best)
    common, key, manifest = run.experiment.common, jax.random.key(seed), run.manifest
    data = manifest.data
    if len(data["shape"]) != 3:
        raise BadInput(f"{folder} makes points: only images are evaluated; gan-jax sweep scores points")
    checkpoint = f"best {common.best}" if best else "last" if step is None else f"step {step}"
    return EvaluationTarget(
        about={
            "name": manifest.name,
            "run": str(folder),
            "file": f"{manifest.experiment}:{manifest.row}".rstrip(":"),
            "code": manifest.code_digest,
            "settings": manifest.settings,
            "step": int(run.state.step),
            "images": run.images,
            "digest": digest(run.state),
        },
        drawn=probes.drawing_protocol(run.game, checkpoint, seed),
        draw=partial(probes.image_drawer(run.game, key, tuple(data["classes"])), run.state),
        probes=lambda net: probes.make_probes(run.game, key, net)(run.state),
        reference=partial(training_reference, common, run_data(folder, manifest, common)),
    )


def files_target(path: Path, size: int | None) -> EvaluationTarget:
    """Opens the images of a folder, an archive, or a .npz file of `gan-jax sample`."""
    source = open_images(str(path.absolute()), size=size)
    about = {"name": source.name, "path": str(path), "size": source.size}
    return EvaluationTarget(
        about,
        {"files": True, "resized": size},
        lambda n: read_images(source, subset_indices(source.size, n)),
        found=describe_source(source),
    )
