"""Scores as they are kept: every metric's values, stamped with the protocol that they were measured by.

Scores of one metric are comparable where their protocols are equal, and only there: what is in a protocol changes
numbers by more than GANs differ (Parmar et al. 2022, "On aliased resizing and surprising subtleties in GAN
evaluation").
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from gan_jax.data.source import Shape
from gan_jax.errors import BadInput
from gan_jax.evaluation.inputs import Reference, Seen
from gan_jax.evaluation.statistics import strict
from gan_jax.evaluation.suite import Metric, Values
from gan_jax.metrics.features.network import FeatureNet
from gan_jax.runs.files import write_atomic

Protocol = dict[str, Any]


class Results(NamedTuple):
    """What was found out about a subject."""

    subject: dict[str, Any]
    """`name`, what it is called in a table, and where it is from; no part of any protocol."""
    scores: dict[str, dict[str, Any]]
    """Of every metric its values and, as `protocol`, how they were measured."""


def make_protocol(
    net: FeatureNet,
    real: Seen | None,
    reference: Reference | None,
    samples: int,
    shape: Shape,
    drawn: Mapping[str, Any],
) -> Protocol:
    """What scores depend on, but for the settings of each metric.

    Args:
        net: what images are seen through.
        real: what they are compared with.
        reference: where that is from.
        samples: how many are judged.
        shape: of each.
        drawn: how they are drawn.
    """
    compared = real and {
        "data": reference.source.name,
        "split": reference.split,
        "size": reference.source.size,
        "resized": reference.resized,
        "samples": len(real.images),
        "sha256": sha256(real.images.tobytes()).hexdigest(),
    }
    return {
        "samples": samples,
        "image": list(shape),
        "quantisation": "uint8",
        "drawn": dict(drawn),
        "reference": compared,
        "features": {"name": net.name, "sha256": net.sha256, "resize": net.resize},
    }


def of_each(metrics: Mapping[str, Metric], common: Protocol) -> dict[str, Protocol]:
    """The protocol of every metric: what is common to all, and its own settings."""
    return {name: {**common, **metric.settings} for name, metric in metrics.items()}


def stamped(subject: Mapping[str, Any], found: Mapping[str, Values], protocols: Mapping[str, Protocol]) -> Results:
    """The values of every metric with its protocol."""
    return Results(dict(subject), {name: {**found[name], "protocol": protocols[name]} for name in found})


def told(protocol: Protocol) -> str:
    """A line with what one most wants to know of a protocol."""
    net, real = protocol["features"], protocol["reference"]
    beside = f" beside {real['samples']:,} of {real['data']} ({real['split']})" if real else ""
    return f"{protocol['samples']:,} samples{beside}, seen through {net['name']}, sha256 {net['sha256']}"


def write(results: Results, file: Path) -> None:
    """Writes one JSON object: `subject`, and a member for every metric. What is not finite is null."""
    write_atomic(file, (json.dumps(strict({"subject": results.subject, **results.scores}), indent=2) + "\n").encode())


def read(file: Path) -> Results:
    """What `write` wrote. Raises `BadInput` where the file is something else, or damaged."""
    try:
        scores = json.loads(file.read_text())
        subject = scores.pop("subject")
        values = [v for score in scores.values() for name, v in score.items() if name != "protocol"]
        for score in scores.values():
            told(score["protocol"])  # raises where it says too little
        fits = isinstance(subject["name"], str) and isinstance(subject.get("settings", {}), dict)
        if not scores or not fits or not all(value is None or isinstance(value, int | float) for value in values):
            raise TypeError("a part of it is of another type")
        return Results(subject, scores)
    except FileNotFoundError:
        raise BadInput(f"{file} does not exist: gan-jax evaluate writes such files") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadInput(f"{file} holds no results of gan-jax evaluate ({error}): evaluate again") from None


def check_comparable(files: Sequence[Path], results: Sequence[Results]) -> None:
    """Raises `BadInput`, with the first difference, where a metric was measured by two protocols.

    How images in files were drawn is not known: that is compared between runs only.
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
    """Raises `BadInput` where two protocols of a metric differ; says where, and what stands `there` and `here`."""
    if difference := _difference(before, now):
        where, was, is_now = difference
        raise BadInput(
            f"{metric} was measured by different protocols: {where} is {was} in {there} and {is_now} in {here}: "
            "evaluate both in one way to compare them"
        )


def _part(protocol: Protocol, part: str) -> Protocol | None:
    """Of a protocol how samples were drawn, where that is known, or the rest."""
    if part == "rest":
        return {name: value for name, value in protocol.items() if name != "drawn"}
    return {"drawn": protocol["drawn"]} if "seed" in protocol.get("drawn", {}) else None


def _difference(a: Any, b: Any, where: str = "") -> tuple[str, str, str] | None:
    """Where two JSON values differ, and what stands there; nothing where they are equal."""
    if isinstance(a, dict) and isinstance(b, dict):
        names = (name for name in dict.fromkeys((*a, *b)) if a.get(name) != b.get(name))
        return next((_difference(a.get(n), b.get(n), f"{where} {n}".strip()) for n in names), None)
    return None if a == b else (where, json.dumps(a), json.dumps(b))
