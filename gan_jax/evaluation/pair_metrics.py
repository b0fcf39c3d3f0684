"""Metrics of images against their targets, paired by name, and of patches of images of any size."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from gan_jax import metrics
from gan_jax.errors import BadInput
from gan_jax.evaluation.image_sets import ImageSet, Mode, check_pairs, check_partners, pairs
from gan_jax.metrics.features.alexnet import alexnet_conv5
from gan_jax.metrics.features.imagenet import ImagenetWeights
from gan_jax.metrics.features.lpips import lpips
from gan_jax.metrics.features.network import FeatureNet, Images, extract
from gan_jax.metrics.frechet import frechet_distance_of, moments


class PairInputs(NamedTuple):
    """Everything a metric of pairs may use."""

    x: ImageSet
    target: ImageSet
    border: int
    """Pixels that PSNR and SSIM leave off at every side."""
    luminance: bool
    """Whether PSNR and SSIM compare luminance only."""
    weights: ImagenetWeights | None = None
    """Given if a metric needs them."""
    classifier: FeatureNet | None = None
    """Given if a metric needs it."""
    inputs: ImageSet | None = None
    """What `x` was made of; given if a metric needs its holes, or to compute floors."""


class PairScores(NamedTuple):
    """The values of a metric, those of every pair, and its part of the protocol."""

    values: dict[str, float]
    per_image: dict[str, float]
    """Empty if the metric is not a mean over pairs."""
    settings: dict[str, Any]


OF_INPUT = "_input"
"""Ending of the floor's name: the value of the inputs, as in `psnr_input`."""


class PairMetric(NamedTuple):
    """A metric with its metadata."""

    compute: Callable[[PairInputs], PairScores]
    values: Mapping[str, str]
    """The names of its values, each with the better direction, as in `suite.Metric`."""
    needs_weights: bool = False
    needs_classifier: bool = False
    """Such a metric compares labels, not pixels: its images have the size of the classifier."""
    needs_holes: bool = False
    needs_partners: bool = True
    """Whether it compares images with their targets, not with any others."""


def _means(name: str, inputs: PairInputs, score: Callable[[Images, Images], Any], settings: dict) -> PairScores:
    """Averages the scores of all pairs. Raises `BadInput`, with the name of the image."""
    found = {}
    for image, x, target in pairs(inputs.x, inputs.target):
        try:
            found[image] = float(score(x, target)[0])
        except BadInput as error:
            raise BadInput(f"{image}: {error}") from error
    return PairScores({name: float(np.mean(list(found.values())))}, found, {"pairs": len(found)} | settings)


def _pixel_settings(inputs: PairInputs) -> dict[str, Any]:
    color = "Y of MATLAB's rgb2ycbcr, 16 to 235" if inputs.luminance else "RGB"
    color = color if inputs.target.mode == "RGB" else "gray, 0 to 255"
    return {"color": color, "border": inputs.border, "data_range": 255, "quantization": "uint8"}


def psnr(inputs: PairInputs) -> PairScores:
    """Computes the mean PSNR of the pairs, infinite if a pair is equal."""
    score = partial(metrics.psnr, luminance=inputs.luminance, border=inputs.border)
    return _means("psnr", inputs, score, _pixel_settings(inputs))


def ssim(inputs: PairInputs) -> PairScores:
    """Computes the mean SSIM of the pairs."""
    score = partial(metrics.ssim, luminance=inputs.luminance, border=inputs.border)
    return _means("ssim", inputs, score, _pixel_settings(inputs) | {"window": "11x11 Gaussian, deviation 1.5"})


def masked_psnr(inputs: PairInputs) -> PairScores:
    """Computes the mean PSNR of the pairs inside the holes."""
    return _in_holes("masked_psnr", inputs, metrics.masked_psnr)


def masked_l1(inputs: PairInputs) -> PairScores:
    """Computes the mean absolute difference of the pairs inside the holes, as a share of the range."""
    return _in_holes("masked_l1", inputs, metrics.masked_l1)


def _in_holes(name: str, inputs: PairInputs, score: Callable[[Images, Images, Any], Any]) -> PairScores:
    check_pairs(inputs.inputs, inputs.target)
    holes = (inputs.inputs.hole(image)[None] for image in inputs.target.images)  # in the order of `pairs`
    settings = _pixel_settings(inputs._replace(border=0, luminance=False)) | {"inside": "holes"}
    return _means(name, inputs, lambda x, target: score(x, target, next(holes)), settings)


_distance = jax.jit(lpips)


def lpips_alex(inputs: PairInputs) -> PairScores:
    """Computes the mean LPIPS-Alex of the pairs, of whole images."""
    weights = inputs.weights

    def score(*pair: Images) -> jax.Array:
        with jax.default_matmul_precision("highest"):  # the default would make scores depend on the device
            return _distance(weights.alexnet, weights.heads, *(each / np.float32(127.5) - 1 for each in pair))

    net = {"name": "LPIPS-Alex 0.1", "sha256": weights.sha256}
    return _means("lpips", inputs, score, {"border": 0, "quantization": "uint8", "features": net})


PATCH, STRIDE = 32, 16
"""Side of a patch in pixels, and distance between two."""


def fd_patches(inputs: PairInputs) -> PairScores:
    """Computes the Fréchet distance of patches in alexnet-conv5; images need no partners."""
    net = alexnet_conv5(inputs.weights)
    sides, counts = [], []
    for each in (inputs.x, inputs.target):
        features = metrics.patch_features(net, each.decoded(inputs.target.mode), PATCH, STRIDE)
        sides.append(moments(features, f"patches of {each.where}"))
        counts.append(len(features))
    settings = {"patches": counts, "patch": PATCH, "stride": STRIDE, "quantization": "uint8"}
    return PairScores({"fd_patches": frechet_distance_of(*sides)}, {}, settings | _features(net))


def _features(net: FeatureNet) -> dict[str, Any]:
    return {"features": {"name": net.name, "sha256": net.sha256, "resize": net.resize}}


def accuracy(inputs: PairInputs) -> PairScores:
    """Computes the share of images that a classifier assigns to the label of their partner, as it does the partners.

    Of translations with their inputs as partners, the second share, `accuracy_reference`, is the floor: that of the
    inputs as they are.

    Raises:
        BadInput: partners have no labels, or classes that the classifier has not; images do not fit the classifier.

    Hoffman et al. 2018, "CyCADA: cycle-consistent adversarial domain adaptation", https://arxiv.org/abs/1711.03213.
    """
    check_partners(inputs.x, inputs.target)
    net, labels = inputs.classifier, inputs.target.labels()
    if len(labels) < len(inputs.target.images):
        raise BadInput(f"{inputs.target.where} has no labels: give a data set with labels, or a folder for every class")
    if unknown := sorted(set(labels.values()).difference(net.classes)):
        few = [", ".join(names[:3]) for names in (unknown, net.classes)]
        raise BadInput(f"{inputs.target.where} has classes ({few[0]} ...) that {net.name} has not ({few[1]} ...)")
    found = [_right(net, each, inputs.x.mode, labels) for each in (inputs.x, inputs.target)]
    values = zip(("accuracy", "accuracy_reference"), found, strict=True)
    means = {name: float(np.mean(list(right.values()))) for name, right in values}
    return PairScores(means, found[0], {"pairs": len(labels), "quantization": "uint8"} | _features(net))


def _right(net: FeatureNet, images: ImageSet, mode: Mode, labels: Mapping[str, str]) -> dict[str, float]:
    """Returns 1 for every image that is classified as its label, else 0. Raises `BadInput`, with the set."""
    if len(sizes := {image.size for image in images.images.values()}) > 1:
        raise BadInput(f"{images.where} has images of {len(sizes)} sizes: give --image-size, the classifier's")
    try:
        probabilities = extract(net, np.concatenate(list(images.decoded(mode)))).probabilities
    except BadInput as error:
        raise BadInput(f"{images.where}: {error}") from error
    if probabilities is None:
        raise BadInput(f"{net.name} has no classes: give --features with a classifier")
    predicted = probabilities.argmax(axis=1)
    return {name: float(net.classes[y] == labels[name]) for name, y in zip(images.images, predicted, strict=True)}


PAIR_METRICS = {
    "psnr": PairMetric(psnr, {"psnr": "higher"}),
    "ssim": PairMetric(ssim, {"ssim": "higher"}),
    "lpips": PairMetric(lpips_alex, {"lpips": "lower"}, needs_weights=True),
    "masked_psnr": PairMetric(masked_psnr, {"masked_psnr": "higher"}, needs_holes=True),
    "masked_l1": PairMetric(masked_l1, {"masked_l1": "lower"}, needs_holes=True),
    "fd_patches": PairMetric(fd_patches, {"fd_patches": "lower"}, needs_weights=True, needs_partners=False),
    "accuracy": PairMetric(accuracy, {"accuracy": "higher", "accuracy_reference": "neither"}, needs_classifier=True),
}
