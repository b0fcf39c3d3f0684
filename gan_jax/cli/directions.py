"""`gan-jax directions`: finds directions in the latent space of a run, names them and saves them."""

from pathlib import Path
from typing import Annotated

import jax
import numpy as np
import tyro
from jaxtyping import Float, Int

from gan_jax.config.flags import NonNegativeInt, PositiveInt, Seed
from gan_jax.data.modality import IMAGE, to_uint8
from gan_jax.errors import BadInput
from gan_jax.evaluation.attribute_choice import Attribute, choose_attribute
from gan_jax.metrics.features.network import Images
from gan_jax.runs.run_dir import RunDir
from gan_jax.sampling.attribute_direction import attribute_direction
from gan_jax.sampling.directions import Direction, in_units, save_direction
from gan_jax.sampling.latents import cycle_classes, draw_latents
from gan_jax.sampling.sampler import sampler
from gan_jax.sampling.space import encode, in_space, space_of, vectors
from gan_jax.sampling.unsupervised import FINDERS, Found
from gan_jax.training.restore import rebuild, restore


def directions(
    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")],
    method: tuple[str, ...] = ("sefa",),
    count: PositiveInt = 5,
    samples: PositiveInt = 4000,
    seed: Seed | None = None,
    step: NonNegativeInt | None = None,
    best: bool = False,
) -> None:
    """Finds directions in the latent space of a run and saves them in RUN/directions, for gan-jax edit.

    Args:
        run: Folder of the run.
        method: What to find, one or more of these. sefa: the directions that change the first layer most. pca: the
            principal components of GANSpace. boldness, slant or roundness: the direction that tells samples with much
            of it from those with little. judge.npz:3: likewise for class 3 of a classifier that
            scripts/train_classifier.py wrote.
        count: How many directions sefa and pca find.
        samples: Number of samples to find them from.
        seed: Seed of the samples; by default the run's seed.
        step: Step of the checkpoint; by default the last one.
        best: Use the checkpoint kept by the run's --best.
    """
    folder = RunDir(run)
    _, experiment, source = rebuild(folder)
    space_of(experiment.phases[-1].game)
    attributes = {word: choose_attribute(word, "sefa, pca, ") for word in method if word not in FINDERS}
    if attributes and source.spec["x"].modality is not IMAGE:
        raise BadInput(f"{run} makes no images, which have {', '.join(attributes)}: choose sefa or pca")

    game, state = restore(run, step, best)[2:4]
    key = jax.random.key(experiment.common.seed if seed is None else seed)
    latents = encode(game, state, draw_latents(game, key, samples, cycle_classes(game)))
    w = np.asarray(vectors(latents[space_of(game).name]), np.float64)
    # Codes are no part of w, so samples are compared with those of the same class.
    label = next((np.asarray(latents[name]) for name in cycle_classes(game)), np.zeros(samples, np.int32))
    images = to_uint8(sampler(in_space(game))(state, latents)) if attributes else None
    for word in method:
        if word in attributes:
            found = [_of_attribute(attributes[word], w, images, label)]
        else:
            found = _of_finder(word, FINDERS[word](game, state, latents, count))
        for report, direction in found:
            direction = direction._replace(run=folder.identity(), vector=in_units(direction.vector, w))
            save_direction(folder.directions, direction)
            print(f"{direction.name:<12}{report}")
    print(folder.directions)


def _of_attribute(
    attribute: Attribute, w: Float[np.ndarray, "N Z"], images: Images, label: Int[np.ndarray, " N"]
) -> tuple[str, Direction]:
    found = attribute_direction(w, attribute.measure(images), label)
    report = f"tells {found.accuracy:.1%} of {found.held_out:,} held-out samples apart"
    return report, Direction(attribute.name, "logistic regression", attribute.word, "", found.direction)


def _of_finder(word: str, found: Found) -> list[tuple[str, Direction]]:
    return [
        (f"share {share:.1%}", Direction(f"{word}-{i}", word, "", "", vector))
        for i, (vector, share) in enumerate(zip(*found, strict=True), start=1)
    ]
