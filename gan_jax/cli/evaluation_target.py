"""The target of `gan-jax evaluate`: a checkpoint of a run, or files of samples."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
from jaxtyping import Array, Key

from gan_jax.data import absolute_name
from gan_jax.data.modality import main_leaf
from gan_jax.data.source import Source, describe_source
from gan_jax.errors import BadInput
from gan_jax.evaluation import probes
from gan_jax.evaluation.inputs import SCORED, LabeledExamples, Probes, Reference, read_examples, subset_indices
from gan_jax.evaluation.real_data import open_examples as open_samples
from gan_jax.evaluation.real_data import training_reference
from gan_jax.evaluation.translations import (
    Direction,
    Translated,
    choose_direction,
    example_translator,
    image_sets,
)
from gan_jax.metrics.features.network import FeatureNet
from gan_jax.runs.digest import digest
from gan_jax.runs.run_data import run_data
from gan_jax.runs.run_dir import RunDir
from gan_jax.training.restore import RestoredRun, open_examples, restore


class EvaluationTarget(NamedTuple):
    """A source of samples to evaluate."""

    about: dict[str, Any]
    """`name`, the label in tables, and the run or path."""
    drawn: dict[str, Any]
    """How samples are drawn: part of the protocol."""
    draw: Callable[[int], LabeledExamples]
    """`draw(n)`: `n` samples, or all if there are fewer."""
    probes: Callable[[FeatureNet], Probes] | None = None
    """The probes of a run's networks, with features of the given network."""
    reference: Callable[[str], Reference] | None = None
    """Opens a split of the data that the run was trained on."""
    found: str = ""
    """What the files were taken for, and what was left out; empty for a run."""
    translated: Callable[[int], Translated] | None = None
    """What a run on inputs makes of as many of its examples; None for others."""
    paired: bool = False
    """Whether those examples have targets."""


def run_target(folder: Path, step: int | None, best: bool, seed: int, split: str, domain: str) -> EvaluationTarget:
    """Restores a checkpoint of a run.

    `split` is that of the inputs of a run on inputs, `domain` which of them are translated.

    Raises:
        BadInput: the checkpoint is missing, the run makes what has no scores, or it has no such inputs.
    """
    run = restore(folder, step, best)
    common, key, manifest = run.experiment.common, jax.random.key(seed), run.manifest
    data, leaf = manifest.data, main_leaf(run.spec)
    if leaf.modality.name not in SCORED:
        what = f"{folder} makes {leaf.modality.describe(leaf.shape)}"
        raise BadInput(f"{what}: only images, videos and sounds are evaluated; gan-jax sweep scores points")
    checkpoint = f"best {common.best}" if best else "last" if step is None else f"step {step}"
    target = EvaluationTarget(
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
        draw=partial(probes.sample_drawer(run.game, key, leaf.modality, tuple(data["classes"])), run.state),
        probes=lambda net: probes.make_probes(run.game, key, net)(run.state),
        reference=partial(training_reference, common, run_data(folder, manifest, common)),
    )
    if run.game.conditions:
        return _translating(target, run, folder, split, domain, key)
    if domain:
        raise BadInput(f"{folder} makes samples without inputs: leave --domain out")
    return target


def _translating(
    target: EvaluationTarget, run: RestoredRun, folder: Path, split: str, domain: str, key: Key[Array, ""]
) -> EvaluationTarget:
    """Makes the target a run whose samples are translations of its own examples."""

    def opened(split: str) -> tuple[Source, Direction]:
        examples = open_examples(RunDir(folder), split)
        return examples, choose_direction(run.game, examples, domain)

    examples, way = opened(split)
    found = examples.split or split
    draw = cache(partial(example_translator(run.game, way, key), run.state))
    return target._replace(
        drawn=target.drawn | way.protocol(found),
        draw=draw,
        probes=None,
        reference=lambda _: Reference(found, way.targets, lambda: opened("test")[1].targets),
        translated=lambda n: image_sets(way, draw(n), n),
        paired=way.paired,
    )


def files_target(path: Path, size: int | None, real: Source | None) -> EvaluationTarget:
    """Opens the samples of a folder, an archive, or a .npz file of `gan-jax sample`, or of `audio:` and `video:` files.

    Labels in such a file, which has no names of classes, number the classes of the `real` examples.
    """
    source = open_samples(str(path.absolute()) if path.exists() else absolute_name(str(path)), size=size)
    if real and "y" in source.spec and not source.classes:
        source = source._replace(classes=real.classes)
    about = {"name": source.name, "path": str(path), "size": source.size}
    return EvaluationTarget(
        about,
        {"files": True, "resized": size},
        lambda n: read_examples(source, subset_indices(source.size, n)),
        found=describe_source(source),
    )
