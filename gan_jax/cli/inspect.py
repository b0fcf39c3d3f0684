"""`gan-jax inspect`: draws what the networks of a run look at."""

import math
from pathlib import Path
from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from jaxtyping import Float, UInt8

from gan_jax.config.flags import NonNegativeInt, Seed
from gan_jax.data.modality import IMAGE, to_uint8
from gan_jax.errors import BadInput
from gan_jax.runs.run_dir import RunDir
from gan_jax.sampling.attention_maps import activations, saliency
from gan_jax.sampling.latents import cycle_classes, draw_latents
from gan_jax.sampling.sampler import sampler
from gan_jax.training.restore import rebuild, restore
from gan_jax.viz.images import contact_sheet, image_grid, save_png, side_by_side

LAYOUT = (5, 2)
"""Rows and columns of samples."""

CHANNELS = 16
"""The number of maps that are shown of a layer, those that vary most."""

PIXELS = 64
"""Smaller maps are enlarged up to this side."""


def inspect(
    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")],
    seed: Seed | None = None,
    step: NonNegativeInt | None = None,
    best: bool = False,
    out: Path | None = None,
) -> None:
    """Draws samples and where the discriminator looks in them, and what the generator's layers make of the first.

    Args:
        run: Folder of the run.
        seed: Seed of the samples; by default the run's seed.
        step: Step of the checkpoint; by default the last one.
        best: Use the checkpoint kept by the run's --best.
        out: File to write (.png); by default RUN/inspect.png.
    """
    out = out or run / "inspect.png"
    _, experiment, source = rebuild(RunDir(run))
    if experiment.phases[-1].game.conditions or source.spec["x"].modality is not IMAGE:
        raise BadInput(f"{run} makes no images of noise: choose another run")
    game, state = restore(run, step, best)[2:4]
    key = jax.random.key(experiment.common.seed if seed is None else seed)
    latents = draw_latents(game, key, math.prod(LAYOUT), cycle_classes(game))
    x = sampler(game)(state, latents)
    looked_at = to_uint8(x), _stretched(saliency(game, state, jnp.asarray(x), latents)[..., None])
    shown = side_by_side([_enlarged(each) for each in looked_at], *LAYOUT)
    pictures = {"samples, and where the score of the discriminator changes": shown}
    for name, maps in activations(game, state, {name: leaf[:1] for name, leaf in latents.items()}).items():
        height, width, channels = maps.shape[1:]
        pictures[f"{name}: {height} x {width} x {channels}"] = _grid(np.moveaxis(maps, 3, 1)[0, ..., None])
    save_png(out, contact_sheet(list(pictures.values()), list(pictures), cols=2))
    print(out)


def _grid(maps: Float[np.ndarray, "n H W 1"]) -> UInt8[np.ndarray, "_ _ 1"]:
    """Draws the maps that vary most, in four columns."""
    most = np.sort(np.argsort(-maps.std(axis=(1, 2, 3)), kind="stable")[:CHANNELS])
    return image_grid(_enlarged(_stretched(maps[most])), math.ceil(len(most) / 4), 4)


def _enlarged(images: UInt8[np.ndarray, "n _ _ C"]) -> UInt8[np.ndarray, "n _ _ C"]:
    """Enlarges small images by a whole factor."""
    scale = max(1, PIXELS // max(images.shape[1:3]))
    return images.repeat(scale, axis=1).repeat(scale, axis=2)


def _stretched(maps: Float[np.ndarray, "n H W 1"]) -> UInt8[np.ndarray, "n H W 1"]:
    """Scales every map to all grays, from its smallest value to its largest."""
    low, high = (extreme(maps, axis=(1, 2, 3), keepdims=True) for extreme in (np.min, np.max))
    return np.uint8(255 * (maps - low) / np.maximum(high - low, 1e-12))
