"""Results of an evaluation: the values of every metric, stamped with its protocol.

Scores of a metric are comparable only under equal protocols: the number of samples, resizing and quantization may
change a score by more than the difference of two GANs.

Parmar et al. 2022, "On aliased resizing and surprising subtleties in GAN evaluation", https://arxiv.org/abs/2104.11222.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gan_jax.data import Source
from gan_jax.data.modality import IMAGE, Leaf, Modality
from gan_jax.data.source import fingerprint
from gan_jax.errors import BadInput
from gan_jax.evaluation.inputs import Features, Reference
from gan_jax.evaluation.pair_metrics import OF_INPUT, PairInputs, PairScores
from gan_jax.evaluation.seed_statistics import nan_to_none
from gan_jax.evaluation.suite import OLD_NAMES, Metric, Values, naming
from gan_jax.metrics.features.network import FeatureNet
from gan_jax.runs.files import write_atomic

Protocol = dict[str, Any]

NOT_VALUES = ("protocol", "per_image")
"""Members of a score that are not its values."""


class Results(NamedTuple):
    """The scores of one evaluated run or set of images."""

    subject: dict[str, Any]
    """`name`, the label in tables, and the run or path; not part of any protocol."""
    scores: dict[str, dict[str, Any]]
    """The values of every metric, its `protocol`, and `per_image`, the values of every pair of a metric of pairs."""


def make_protocol(
    net: FeatureNet,
    real: Features | None,
    reference: Reference | None,
    samples: int,
    leaf: Leaf,
    drawn: Mapping[str, Any],
) -> Protocol:
    """Returns everything that scores depend on, except the settings of a metric.

    Args:
        net: the feature network.
        real: the real examples that samples are compared with.
        reference: the data set of the real examples.
        samples: the number of samples.
        leaf: the shape and kind of a sample.
        drawn: how samples are drawn, from `probes.drawing_protocol`.
    """
    compared = real and {
        "data": reference.source.name,
        "split": reference.split,
        "size": reference.source.size,
        "resized": reference.resized,
        "samples": len(real.examples),
        "sha256": sha256(real.examples.tobytes()).hexdigest(),
    }
    return {
        "samples": samples,
        leaf.modality.name: list(leaf.shape),
        "quantization": leaf.modality.store(np.zeros(0, np.float32)).dtype.name,
        "drawn": dict(drawn),
        "reference": compared,
        "features": {"name": net.name, "sha256": net.sha256, "resize": net.resize},
    }


def stamp_pairs(
    subject: Mapping[str, Any],
    drawn: Mapping[str, Any],
    found: Mapping[str, PairScores],
    inputs: PairInputs,
    floors: Mapping[str, PairScores],
) -> Results:
    """Joins the values of every metric of pairs with its protocol, with the values of every pair, and with its floor.

    The floor is the value of what was translated, as `image_sets.as_outputs` makes it an output; without it there is
    none.
    """
    target, given = inputs.target, inputs.inputs
    reference = {"data": target.name, "samples": len(target.images), "sha256": target.digest()}
    common = {"samples": len(inputs.x.images), "drawn": dict(drawn), "reference": reference}
    if given:
        common["inputs"] = {"data": given.name, "enlarged": "Pillow BICUBIC", "sha256": given.digest()}
    scores = {}
    for name, score in found.items():
        floor = floors[name].values if name in floors else {}
        values = score.values | {each + OF_INPUT: value for each, value in floor.items()}
        scores[name] = {**values, "protocol": common | score.settings}
        scores[name] |= {"per_image": score.per_image} if score.per_image else {}
    return Results(dict(subject), scores)


def per_metric(
    metrics: Mapping[str, Metric], common: Protocol, reference: Reference | None, kind: Modality = IMAGE
) -> dict[str, Protocol]:
    """Returns the protocol of every metric: the common part with its own settings, and the held-out data it reads."""

    def own(name: str, metric: Metric) -> Protocol:
        with naming(name):  # data without a held-out split
            held_out = {"held_out": _describe_held_out(reference.held_out())} if metric.held_out else {}
        return {**metric.settings, **metric.settings_of(kind), **held_out}

    return {name: common | own(name, metric) for name, metric in metrics.items()}


def _describe_held_out(source: Source) -> Protocol:
    about = {"data": source.name, "split": source.split or "test", "size": source.size}
    return about | {"fingerprint": fingerprint(source)}


def stamp(subject: Mapping[str, Any], found: Mapping[str, Values], protocols: Mapping[str, Protocol]) -> Results:
    """Joins the values of every metric with its protocol."""
    return Results(dict(subject), {name: {**found[name], "protocol": protocols[name]} for name in found})


def describe(protocol: Protocol) -> str:
    """Summarizes a protocol in one line. Raises `KeyError` or `TypeError` if a part is missing."""
    if "pairs" in protocol or "patches" in protocol:
        return _describe_pairs(protocol)
    net, real = protocol["features"], protocol["reference"]
    reference = f" beside {real['samples']:,} of {real['data']} ({real['split']})" if real else ""
    unseen = protocol.get("held_out")
    held_out = f", held out {unseen['size']:,} of {unseen['data']} ({unseen['split']})" if unseen else ""
    return f"{protocol['samples']:,} samples{reference}{held_out}, features {net['name']}, sha256 {net['sha256']}"


def _describe_pairs(protocol: Protocol) -> str:
    real, net = protocol["reference"], protocol.get("features")
    if "patches" in protocol:
        counts = "{:,} patches beside {:,}".format(*protocol["patches"])
        what = f"{counts} of {real['data']}, {protocol['patch']} pixels a side"
    else:
        what = f"{protocol['pairs']:,} pairs with {real['data']}"
    what += f", inputs: {protocol['inputs']['data']}" if "inputs" in protocol else ""
    if net:
        return f"{what}, features {net['name']}, sha256 {net['sha256']}"
    return f"{what}, {protocol['color']}, border {protocol['border']}"


def write(results: Results, file: Path) -> None:
    """Writes one JSON object: `subject`, and a member for every metric. Values that are not finite are null."""
    members = nan_to_none({"subject": results.subject, **results.scores})
    write_atomic(file, (json.dumps(members, indent=2) + "\n").encode())


def read(file: Path) -> Results:
    """Reads a file of `write`. Raises `BadInput` if it is missing, damaged or something else."""
    try:
        scores = json.loads(file.read_text())
        subject = scores.pop("subject")
        values = [v for score in scores.values() for name, v in score.items() if name not in NOT_VALUES]
        for score in scores.values():
            describe(score["protocol"])  # raises if a part is missing
        fits = isinstance(subject["name"], str) and isinstance(subject.get("settings", {}), dict)
        if not scores or not fits or not all(value is None or isinstance(value, int | float) for value in values):
            raise TypeError("a value has the wrong type")
        return Results(subject, _modernize_scores(scores))
    except FileNotFoundError:
        raise BadInput(f"{file} does not exist: gan-jax evaluate writes such files") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadInput(f"{file} holds no results of gan-jax evaluate ({error}): evaluate again") from None


def modernize(protocols: Mapping[str, Any]) -> dict[str, Any]:
    """Renames metrics and protocol keys of files written by earlier releases."""
    renamed = {OLD_NAMES.get(name, name): protocol for name, protocol in protocols.items()}
    return {
        name: {("quantization" if key == "quantisation" else key): value for key, value in protocol.items()}
        for name, protocol in renamed.items()
    }


def _modernize_scores(scores: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    protocols = modernize({name: score["protocol"] for name, score in scores.items()})
    values = {
        OLD_NAMES.get(name, name): {OLD_NAMES.get(key, key): value for key, value in score.items()}
        for name, score in scores.items()
    }
    return {name: score | {"protocol": protocols[name]} for name, score in values.items()}


def check_comparable(files: Sequence[Path], results: Sequence[Results]) -> None:
    """Raises `BadInput`, with the first difference, if the protocols of a metric differ.

    How images in files were drawn is unknown, so that part is compared between runs only.
    """
    for name in dict.fromkeys(name for each in results for name in each.scores):
        measured = [
            (file, each.scores[name]["protocol"])
            for file, each in zip(files, results, strict=True)
            if name in each.scores
        ]
        for part in ("rest", "drawn"):
            having = [(file, _part(protocol, part)) for file, protocol in measured]
            having = [(file, protocol) for file, protocol in having if protocol is not None]
            for file, protocol in having[1:]:
                check_same(name, having[0][1], protocol, str(having[0][0]), str(file))


def check_same(metric: str, before: Protocol, now: Protocol, there: str, here: str) -> None:
    """Raises `BadInput`, with the first difference, if two protocols of a metric differ."""
    if difference := _difference(before, now):
        where, was, is_now = difference
        raise BadInput(
            f"{metric} has different protocols: {where} is {was} in {there} and {is_now} in {here}: "
            "evaluate both with the same settings to compare them"
        )


def _part(protocol: Protocol, part: str) -> Protocol | None:
    """Returns `drawn`, or None if it is unknown; or the rest of a protocol."""
    if part == "rest":
        return {name: value for name, value in protocol.items() if name != "drawn"}
    return {"drawn": protocol["drawn"]} if "seed" in protocol.get("drawn", {}) else None


def _difference(a: Any, b: Any, where: str = "") -> tuple[str, str, str] | None:
    """Returns the path to the first difference of two JSON values, and both values there; None if they are equal."""
    if isinstance(a, dict) and isinstance(b, dict):
        names = (name for name in dict.fromkeys((*a, *b)) if a.get(name) != b.get(name))
        return next((_difference(a.get(n), b.get(n), f"{where} {n}".strip()) for n in names), None)
    return None if a == b else (where, json.dumps(a), json.dumps(b))
