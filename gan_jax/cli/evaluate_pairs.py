"""The part of `gan-jax evaluate` that compares images with their targets, file by file."""

import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

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


def evaluate_pairs(
    metrics: Mapping[str, PairMetric],
    what: Path,
    reference: Callable[[Path], ImageSet],
    image_size: int | None,
    border: int,
    luminance: bool,
    lpips_weights: Path | None,
    features: str,
    inputs: str,
) -> Evaluated:
    """Computes metrics of the images in `what` against their targets, which `reference(scratch)` opens.

    With `inputs`, of which the images were made, it computes the same metrics of those, the floor.

    Raises:
        BadInput: a side has no images, an image has no partner, a pair differs in size, or a metric lacks an input.
    """
    weights, classifier = _load_weights(metrics, lpips_weights), _load_classifier(metrics, features)
    if not is_image_set(what):
        raise BadInput(f"{what} is not a folder, archive or .npz file of images: {next(iter(metrics))} needs one")
    with ExitStack() as stack:
        a, b, c = (Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(3))
        sets = open_image_set(what, a, image_size), reference(b)
        given = open_named(inputs, c) if inputs else None
        both = PairInputs(*sets, border, luminance, weights, classifier, given)
        found = compute_pair_scores(metrics, both)
        of_pixels = {name: metric for name, metric in metrics.items() if given and not metric.needs_classifier}
        floors = compute_pair_scores(of_pixels, both._replace(x=as_outputs(given, sets[1]))) if of_pixels else {}
        about = {"name": sets[0].name, "path": str(what), "size": len(sets[0].images)}
        results = protocol.stamp_pairs(about, found, *sets, given, floors)
    return Evaluated(results, [each.report for each in (*sets, given) if each])


def _load_weights(metrics: Mapping[str, PairMetric], file: Path | None) -> ImagenetWeights | None:
    """Reads the weights, before anything is computed, if a metric needs them."""
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
    return choose_features(features, None, (), "") if needing else None


def check_pair_flags(
    metrics: Mapping[str, PairMetric], is_run: bool, reference: str, split: str, image_size: int | None, inputs: str
) -> None:
    """Raises `BadInput` if a flag does not apply to a metric of pairs."""
    metric = next(iter(metrics))
    if is_run:
        raise BadInput(f"{metric} compares images with their targets by file name: give a folder of images, not a run")
    if not reference:
        raise BadInput(f"{metric} compares images with their targets: give REFERENCE, images of the same names")
    masked = next((name for name, each in metrics.items() if each.needs_holes), "")
    if masked and not inputs:
        raise BadInput(f"{masked} compares the holes of images: give --inputs, the images whose holes were filled")
    metric = next((name for name, each in metrics.items() if not each.needs_classifier), "")
    if inputs and not metric:
        raise BadInput(f"--inputs: the inputs of {next(iter(metrics))} are REFERENCE: leave it out")
    if metric and split != "train":
        raise BadInput(f"--split {split}: {metric} reads all images of REFERENCE: give the folder of the split instead")
    if metric and image_size:
        raise BadInput(f"--image-size: {metric} compares images at their own sizes: leave it out")
