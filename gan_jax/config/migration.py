"""Translates settings of runs of earlier releases, in which experiments were not tables, to today's flags."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from gan_jax.config.experiment import RunConfig

RENAMED = {"infogan": {"weight": "lambda_categorical", "number_weight": "lambda_continuous"}}
"""By experiment, the new name of every renamed flag."""

PENALTIES = {"wgan_gp": "gradient_penalty", "dragan": "dragan"}
"""By experiment, the penalty whose weight was `--penalty`."""


def upgrade(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Translates the settings in the manifest of an earlier release.

    There, null meant the preset's value, which is the default of the flag today.
    """
    common = {each.name for each in fields(RunConfig)}
    given = {flag: value for flag, value in settings.items() if value is not None or flag in common}
    if name in PENALTIES and "penalty" in given:
        given["penalty"] = f"{PENALTIES[name]}:{given['penalty']}"
    if name == "lsgan" and "labels" in given:
        given["loss"] = ":".join(("lsgan", *map(repr, given.pop("labels"))))
    if name == "stacked_mnist" and "learning_rate" in given:
        given["g_learning_rate"] = given["d_learning_rate"] = given.pop("learning_rate")
    if given.get("best") == "reverse_kl":
        given["best"] = "reverse_kl_classes"
    return {RENAMED.get(name, {}).get(flag, flag): value for flag, value in given.items()}
