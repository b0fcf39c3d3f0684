"""The type of a metric of sets of examples."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gan_jax.data.modality import Modality
from gan_jax.evaluation.inputs import SCORED, EvalInputs

Values = dict[str, float]


class Metric(NamedTuple):
    """A metric with its metadata."""

    compute: Callable[[EvalInputs], Values]
    values: Mapping[str, str]
    """The names of its values, each with the better direction: `higher`, `lower`, or `neither` (a standard error)."""
    settings: Mapping[str, Any] = {}
    """Parameters of the metric that belong to the protocol."""
    held_out: bool = False
    """Whether it reads `EvalInputs.held_out`, whose data is then part of the protocol."""
    kinds: tuple[str, ...] = SCORED
    """The kinds of examples that it is for."""
    settings_of: Callable[[Modality], Mapping[str, Any]] = lambda kind: {}
    """Further parameters, which depend on the kind of the examples."""
