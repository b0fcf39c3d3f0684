"""Paired data: an input `a` for every target `x`."""

import numpy as np
from jaxtyping import Array, Int

from gan_jax.data.source import Examples, Source, renamed
from gan_jax.engine.game import Batch, Keys
from gan_jax.errors import BadInput


def paired(inputs: Source, targets: Source) -> Source:
    """Pairs the images of two sources by index: `a` of `inputs`, `x` of `targets`, labels `y` of either.

    Both are decoded with the same keys, so random crops and flips of both agree.

    Raises:
        BadInput: they differ in size, or one has other arrays than images or points `x` and labels `y`.
    """
    if inputs.size != targets.size:
        sizes = f"{inputs.name} has {inputs.size:,} examples, {targets.name} {targets.size:,}"
        raise BadInput(f"{sizes}: pairs need an input for every target")
    for source in (inputs, targets):
        if source.parts or not source.spec.keys() <= {"x", "y"}:
            raise BadInput(f"{source.name} has the arrays {', '.join(source.spec)}: pairs are made of plain images x")
    as_input = renamed(inputs, {"x": "a", "y": "y"})

    def read(indices: Int[np.ndarray, " B"]) -> Examples:
        return as_input.read(indices) | targets.read(indices)

    def decode(examples: dict[str, Array], keys: Keys) -> Batch:
        return as_input.decode(examples, keys) | targets.decode(examples, keys)

    return targets._replace(
        spec={**as_input.spec, **targets.spec}, read=read, decode=decode, classes=targets.classes or inputs.classes
    )
