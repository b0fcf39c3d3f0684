"""What a game with conditions makes of a data set: translations of its examples, beside inputs and real images."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Key

from gan_jax.data import Source
from gan_jax.data.modality import IMAGE, LABEL, MASKED, to_uint8
from gan_jax.data.source import indexed, read_batch, renamed
from gan_jax.engine.game import Batch, Game, State
from gan_jax.errors import BadInput
from gan_jax.evaluation.image_sets import ImageSet, of_source
from gan_jax.evaluation.inputs import CHUNK, LabeledExamples, read_examples, subset_indices
from gan_jax.evaluation.probes import Drawer
from gan_jax.sampling.latents import draw_latents
from gan_jax.sampling.sampler import sampler


class Translated(NamedTuple):
    """Sets of images for metrics of pairs, named by index."""

    made: ImageSet
    targets: ImageSet
    inputs: ImageSet | None
    """With labels and transparent holes; None if they are no images, such as label maps."""


class Direction(NamedTuple):
    """One of the ways in which a game translates a data set."""

    condition: str
    """The array that is translated."""
    inputs: Source
    """The examples that have it."""
    targets: Source
    """Real images `x` that translations should look like."""
    paired: bool
    """Whether example i of the targets is what input i should become; else they are another set of images."""

    def protocol(self, split: str) -> dict[str, Any]:
        """Describes what is translated, of a split of the data: part of how samples are drawn."""
        return {"inputs": {"data": self.inputs.name, "split": split, "array": self.condition}}

    @property
    def label(self) -> str | None:
        """The array with the labels of the inputs, if they have any."""
        return next((name for name in ("y", f"y_{self.condition}") if name in self.inputs.spec), None)


def choose_direction(game: Game, examples: Source, domain: str) -> Direction:
    """Chooses what is translated: the condition `domain`, or the game's first if it is empty.

    Targets are the examples `x`; of unpaired data, those of the other domain.

    Raises:
        BadInput: the game has no such condition.
    """
    condition = domain or game.conditions[0]
    if condition not in game.conditions:
        raise BadInput(f"--domain {condition} is not an input of this game: choose one of {', '.join(game.conditions)}")
    if not examples.parts:
        return Direction(condition, examples, examples, paired=True)
    here, there = sorted(examples.parts, key=lambda part: condition not in part.spec)
    targets = renamed(there, {name: "y" if name.startswith("y_") else "x" for name in there.spec})
    return Direction(condition, here, targets, paired=False)


def example_translator(game: Game, way: Direction, key: Key[Array, ""]) -> Drawer:
    """Returns `draw(state, n)`, compiled once, which translates at most `n` examples, always the same ones.

    It gives the game's first output as it is stored, with the labels of the inputs. `key` is for games with noise.
    """
    draw, kind = sampler(game), way.targets.spec["x"].modality
    others = [name for name, leaf in way.inputs.spec.items() if leaf.modality == LABEL and name != way.label]

    def translations(state: State, n: int) -> LabeledExamples:
        made, labels, further = [], [], {name: [] for name in others}
        for i, batch in enumerate(_batches(way, n)):
            given = {way.condition: batch[way.condition]}
            latents = draw_latents(game, jax.random.fold_in(key, i), len(given[way.condition]), examples=given)
            with jax.default_matmul_precision("highest"):
                samples = draw(state, latents)
            made.append(kind.store(next(iter(samples.values())) if isinstance(samples, Mapping) else samples))
            labels += [batch[way.label]] if way.label else []
            for name in others:
                further[name].append(batch[name])
        y = np.concatenate(labels) if labels else None
        further = {name: np.concatenate(each) for name, each in further.items()}
        return LabeledExamples(np.concatenate(made), y, way.inputs.classes, kind, further)

    return translations


def image_sets(way: Direction, made: LabeledExamples, n: int) -> Translated:
    """Makes sets of `made`, the translations of at most `n` examples, and of their targets and inputs."""
    targets = read_examples(way.targets, subset_indices(way.targets.size, n))
    sets = _image_set(made, "translations"), _image_set(targets, way.targets.name)
    return Translated(*sets, _input_set(way, n))


def _input_set(way: Direction, n: int) -> ImageSet | None:
    leaf = way.inputs.spec[way.condition]
    masked = leaf.modality is MASKED
    if leaf.modality not in (IMAGE, MASKED) or leaf.shape[-1] - masked not in (1, 3):
        return None
    batches = list(_batches(way, n))
    x = np.concatenate([batch[way.condition] for batch in batches])
    y = np.concatenate([batch[way.label] for batch in batches]) if way.label else None
    found = _image_set(LabeledExamples(to_uint8(x[..., :-1] if masked else x), y, way.inputs.classes), way.inputs.name)
    if not masked:
        return found
    alpha = np.where(x[..., -1] > 0, np.uint8(0), np.uint8(255))
    files = found.images.items()
    return found._replace(
        images={name: file._replace(read_alpha=partial(alpha.__getitem__, int(name))) for name, file in files}
    )


def _image_set(images: LabeledExamples, name: str) -> ImageSet:
    return of_source(indexed(name, images.kind, images.examples, images.labels, images.classes), Path(name))


def _batches(way: Direction, n: int) -> Iterator[Batch]:
    """Reads at most `n` inputs, always the same ones, `CHUNK` at a time."""
    indices = subset_indices(way.inputs.size, n)
    for start in range(0, len(indices), CHUNK):
        yield read_batch(way.inputs, indices[start : start + CHUNK])
