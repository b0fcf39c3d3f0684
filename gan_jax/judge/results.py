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

from gan_jax.errors import BadInput
from gan_jax.evaluate.features import FeatureNet
from gan_jax.judge.evidence import Evidence
from gan_jax.judge.suite import Metric, Values
from gan_jax.statistics import strict
from gan_jax.whole_file import write_whole

Protocol = dict[str, Any]


class Results(NamedTuple):
    """What was found out about a subject."""

    subject: dict[str, Any]
    """`name`, what it is called in a table, and where it is from; no part of any protocol."""
    scores: dict[str, dict[str, Any]]
    """Of every metric its values and, as `protocol`, how they were measured."""


def protocol(evidence: Evidence, net: FeatureNet, drawn: Mapping[str, Any]) -> Protocol:
    """What the scores depend on, but for the settings of each metric. `drawn` says how the samples were drawn."""
    shape = evidence.fake.images.shape
    reference = None
    if evidence.real_or_none:
        reference = {
            "data": evidence.reference.source.name,
            "split": evidence.reference.split,
            "size": evidence.reference.source.size,
            "samples": len(evidence.real_or_none.images),
            "sha256": sha256(evidence.real_or_none.images.tobytes()).hexdigest(),
        }
    return {
        "samples": shape[0],
        "image": list(shape[1:]),
        "quantisation": "uint8",
        "drawn": dict(drawn),
        "reference": reference,
        "features": {"name": net.name, "sha256": net.sha256, "resize": net.resize},
    }


def stamped(
    subject: Mapping[str, Any], found: Mapping[str, Values], metrics: Mapping[str, Metric], common: Protocol
) -> Results:
    """The values of every metric with its protocol."""
    scores = {name: {**found[name], "protocol": {**common, **metrics[name].settings}} for name in found}
    return Results(dict(subject), scores)


def write(results: Results, file: Path) -> None:
    """Writes one JSON object: `subject`, and a member for every metric. What is not finite is null."""
    write_whole(file, (json.dumps(strict({"subject": results.subject, **results.scores}), indent=2) + "\n").encode())


def read(file: Path) -> Results:
    """What `write` wrote. Raises `BadInput` where the file is something else, or damaged."""
    try:
        scores = json.loads(file.read_text())
        subject = scores.pop("subject")
        if not isinstance(subject["name"], str) or not all(isinstance(s["protocol"], dict) for s in scores.values()):
            raise TypeError("a part of it is of another type")
        return Results(subject, scores)
    except FileNotFoundError:
        raise BadInput(f"{file} does not exist: gan-jax evaluate writes such files") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadInput(f"{file} holds no results of gan-jax evaluate ({error}): evaluate again") from None


def check_comparable(files: Sequence[Path], results: Sequence[Results]) -> None:
    """Raises `BadInput`, with the first difference, where a metric was measured by two protocols."""
    for name in dict.fromkeys(name for each in results for name in each.scores):
        having = [
            (file, each.scores[name]["protocol"])
            for file, each in zip(files, results, strict=True)
            if name in each.scores
        ]
        first, expected = having[0]
        for file, protocol in having[1:]:
            if difference := _difference(expected, protocol):
                where, before, now = difference
                raise BadInput(
                    f"{name} was measured by different protocols: {where} is {before} in {first} and {now} in {file}: "
                    "evaluate both in one way to compare them"
                )


def _difference(a: Any, b: Any, where: str = "") -> tuple[str, str, str] | None:
    """Where two JSON values differ, and what stands there; nothing where they are equal."""
    if isinstance(a, dict) and isinstance(b, dict):
        names = (name for name in dict.fromkeys((*a, *b)) if a.get(name) != b.get(name))
        return next((_difference(a.get(n), b.get(n), f"{where} {n}".strip()) for n in names), None)
    return None if a == b else (where, json.dumps(a), json.dumps(b))
