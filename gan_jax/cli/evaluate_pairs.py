"""The part of `gan-jax evaluate` that compares images with their targets: files, or what a run makes of its data."""

import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from gan_jax.cli.evaluation_target import EvaluationTarget
from gan_jax.data.modality import IMAGE, Leaf
from gan_jax.errors import BadInput
from gan_jax.evaluation import protocol
from gan_jax.evaluation.feature_choice import choose_features
from gan_jax.evaluation.image_sets import ImageSet, as_outputs, is_image_set, open_image_set, open_named
from gan_jax.evaluation.inputs import EvalInputs
from gan_jax.evaluation.pair_metrics import PairInputs, PairMetric
from gan_jax.evaluation.suite import compute_pair_scores
from gan_jax.metrics.features import imagenet
from gan_jax.metrics.features.imagenet import ImagenetWeights
from gan_jax.metrics.features.network import FeatureNet


class Evaluated(NamedTuple):
    """Results, what the files were taken for, and the inputs that figures are drawn from, if there are any."""

    results: protocol.Results
    found: list[str]
    inputs: EvalInputs | None = None


def evaluate_files(
    metrics: Mapping[str, PairMetric],
    what: Path,
    reference: Callable[[Path], ImageSet],
    inputs: str,
    image_size: int | None,
    make: Callable[..., PairInputs],
) -> Evaluated:
    """Computes metrics of the images in `what` against their targets, which `reference(scratch)` opens.

    With `inputs`, of which the images were made, it computes the same metrics of those, the floor.

    Raises:
        BadInput: a side has no images, an image has no partner, a pair differs in size, or a metric lacks an input.
    """
    if not is_image_set(what):
        raise BadInput(
            f"{what} is not an image, folder, archive or .npz file of images: {next(iter(metrics))} needs one"
        )
    with ExitStack() as stack:
        a, b, c = (Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(3))
        x, target = open_image_set(what, a, image_size), reference(b)
        given = open_named(inputs, c) if inputs else None
        about = {"name": x.name, "path": str(what), "size": len(x.images)}
        results = _evaluate(metrics, make(x, target, inputs=given), about, {"files": True})
    return Evaluated(results, [each.report for each in (x, target, given) if each])


def evaluate_translations(
    metrics: Mapping[str, PairMetric], run: EvaluationTarget, samples: int, make: Callable[..., PairInputs]
) -> list[Evaluated]:
    """Computes metrics of what a run makes of its examples, against their targets or, of classes, their labels.

    Raises:
        BadInput: the run translates nothing, its data has no pairs, or a metric lacks an input.
    """
    first = next(iter(metrics))
    if run.translated is None:
        raise BadInput(f"{first} compares images with their targets by file name: give a folder of images, not a run")
    of_labels = {name: metric for name, metric in metrics.items() if metric.needs_classifier}
    of_pixels = {name: metric for name, metric in metrics.items() if name not in of_labels}
    of_partners = [name for name, metric in of_pixels.items() if metric.needs_partners]
    if of_partners and not run.paired:
        what = f"{of_partners[0]} compares images with their targets"
        raise BadInput(f"{what}, which unpaired data has not: leave it out")
    made, targets, inputs = run.translated(samples)
    of_inputs = [name for name, metric in metrics.items() if metric.needs_holes or metric.needs_classifier]
    if of_inputs and inputs is None:
        raise BadInput(f"{of_inputs[0]} is for games on images: leave it out")
    parts = []
    if of_pixels:
        floor = inputs if run.paired else None
        parts.append(_evaluate(of_pixels, make(made, targets, inputs=floor), run.about, run.drawn))
    if of_labels:
        parts.append(_evaluate(of_labels, make(made, inputs), run.about, run.drawn))
    return [Evaluated(results, []) for results in parts]


def _evaluate(
    metrics: Mapping[str, PairMetric], inputs: PairInputs, about: Mapping[str, Any], drawn: Mapping[str, Any]
) -> protocol.Results:
    """Computes metrics and, where there is what the images were made of, its own, the floor."""
    found = compute_pair_scores(metrics, inputs)
    given = inputs.inputs
    of_pixels = {name: metric for name, metric in metrics.items() if given and not metric.needs_classifier}
    floors = compute_pair_scores(of_pixels, inputs._replace(x=as_outputs(given, inputs.target))) if of_pixels else {}
    return protocol.stamp_pairs(about, drawn, found, inputs, floors)


def read_networks(
    metrics: Mapping[str, PairMetric], lpips_weights: Path | None, features: str
) -> dict[str, ImagenetWeights | FeatureNet | None]:
    """Reads the networks that the metrics need, before anything is computed. Raises `BadInput` if one is not given."""
    return {
        "weights": _load_weights(metrics, lpips_weights),
        "classifier": _load_classifier(metrics, features),
    }


def _load_weights(metrics: Mapping[str, PairMetric], file: Path | None) -> ImagenetWeights | None:
    """Reads the weights if a metric needs them."""
    needing = [name for name, metric in metrics.items() if metric.needs_weights]
    if needing and file is None:
        raise BadInput(f"{needing[0]} needs weights: give --lpips-weights FILE, which scripts/lpips_weights.py makes")
    return imagenet.load(file) if needing else None


def _load_classifier(metrics: Mapping[str, PairMetric], features: str) -> FeatureNet | None:
    """Loads the network of `--features` if a metric needs it; which one is right is not for this program to guess."""
    needing = [name for name, metric in metrics.items() if metric.needs_classifier]
    if needing and not features:
        raise BadInput(
            f"{needing[0]} needs a classifier: give --features FILE, which scripts/train_classifier.py makes"
        )
    return choose_features(features, None, Leaf((), IMAGE), "") if needing else None


def check_pair_flags(
    metrics: Mapping[str, PairMetric], reference: str, split: str, image_size: int | None, inputs: str
) -> None:
    """Raises `BadInput` if a flag does not apply to metrics of pairs of files."""
    of_pixels = next((name for name, each in metrics.items() if not each.needs_classifier), "")
    if not reference:
        what = next(iter(metrics))
        raise BadInput(f"{what} compares images with their targets: give REFERENCE, images of the same names")
    masked = next((name for name, each in metrics.items() if each.needs_holes), "")
    if masked and not inputs:
        raise BadInput(f"{masked} compares the holes of images: give --inputs, the images whose holes were filled")
    if inputs and not of_pixels:
        raise BadInput(f"--inputs: the inputs of {next(iter(metrics))} are REFERENCE: leave it out")
    if of_pixels and split != "train":
        what = f"{of_pixels} reads all images of REFERENCE"
        raise BadInput(f"--split {split}: {what}: give the folder of the split instead")
    if of_pixels and image_size:
        raise BadInput(f"--image-size: {of_pixels} compares images at their own sizes: leave it out")
