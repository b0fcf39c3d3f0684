"""`gan-jax edit`: moves samples of a run, or given images, along a direction; or mixes their styles."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from jaxtyping import Array, Float, Key, UInt8

from gan_jax.cli.codes import parse_labels
from gan_jax.cli.edit_words import parse_layers, parse_strengths, read_inputs
from gan_jax.config.flags import NonNegativeFloat, NonNegativeInt, PositiveInt, Seed
from gan_jax.data.modality import IMAGE, Modality, scale, to_uint8
from gan_jax.data.source import Source
from gan_jax.data.sources.subset import whole
from gan_jax.engine.game import Game, Latents, State
from gan_jax.errors import BadInput
from gan_jax.evaluation.attribute_choice import Attribute, choose_attribute
from gan_jax.evaluation.feature_choice import BUILT_IN, choose_features
from gan_jax.runs.files import save_npz
from gan_jax.runs.run_dir import RunDir
from gan_jax.sampling.directions import Direction, find_direction
from gan_jax.sampling.distance import Embed, in_units, mean_of, pixels
from gan_jax.sampling.editing import Edits, edit_samples, mean_distances
from gan_jax.sampling.inversion import invert
from gan_jax.sampling.latents import Values, cycle_classes, draw_latents
from gan_jax.sampling.mixing import mixing_sheet
from gan_jax.sampling.pictures import draw_frames, draw_samples
from gan_jax.sampling.sampler import sampler
from gan_jax.sampling.space import encode, in_space, space_of, truncate
from gan_jax.training.restore import rebuild, restore
from gan_jax.viz.animation import save_animation
from gan_jax.viz.charts import edit_curves
from gan_jax.viz.images import save_png

Images = Float[np.ndarray, "N H W C"]

UNIT = 256
"""The number of samples whose mean distance is the unit of distances."""


def edit(
    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")],
    direction: str = "",
    strength: str = "-2:2",
    layers: str = "",
    mix: Literal["coarse", "middle", "fine"] | None = None,
    n: PositiveInt | None = None,
    seed: Seed | None = None,
    labels: tuple[str, ...] = (),
    truncation: NonNegativeFloat | None = None,
    inputs: str = "",
    image_size: PositiveInt | None = None,
    data_dir: Path | None = None,
    features: str = "",
    lpips_weights: Path | None = None,
    measure: tuple[str, ...] = (),
    curve: Path | None = None,
    step: NonNegativeInt | None = None,
    best: bool = False,
    out: Path | None = None,
) -> None:
    """Moves samples of a run, or given images, along a direction of its latent space; or mixes styles.

    Prints, for every strength, how far edited samples are from those they were: 0 is unchanged, 1 as far as from any
    other sample.

    Args:
        run: Folder of the run.
        direction: A direction that gan-jax directions RUN found, by name or file.
        strength: From one strength to another, in standard deviations of the latents; -2:2:5 for five of them.
        layers: Edit these layers only, as in 0:3, in runs with a latent for every layer.
        mix: Draw a sheet of mixed styles instead: rows of samples, with the coarse, middle or fine layers of others.
        n: Number of samples, or of --inputs from the first on; by default as many as rows in the run's previews.
        seed: Seed of the samples; by default the run's seed.
        labels: Classes of the samples, by name or number, cycled, or those that --inputs may be of; by default all.
        truncation: Scale the distance of the latents from their mean by this factor, before the edit.
        inputs: Images to edit, which are first inverted: an image, folder, archive or .npz file of images, or a data
            set, as in mnist@test, of the size that the run makes.
        image_size: Crop and resize --inputs to squares of this many pixels a side.
        data_dir: Folder with the original archives of the data set that --inputs names, instead of a download.
        features: Network that distances are measured with, as in gan-jax evaluate; by default that of the data set, or
            else the values of the samples.
        lpips_weights: File with its weights, for alexnet-conv5.
        measure: Attributes of the edited images to print, as in gan-jax directions --method; by default that of the
            direction.
        curve: Picture (.png) of what is printed.
        step: Step of the checkpoint; by default the last one.
        best: Use the checkpoint kept by the run's --best.
        out: File to write: .png for a row per sample, .gif for an animation there and back, .npz for arrays; by default
            RUN/edit.png.
    """
    out = out or run / "edit.png"
    if out.suffix not in (".png", ".gif", ".npz") or (mix and out.suffix == ".gif"):
        raise BadInput(f"--out {out} has no ending that is known: choose .png, .npz or, for an edit, .gif")
    if bool(direction) == bool(mix):
        raise BadInput("nothing to do: give one of --direction NAME and --mix coarse")
    if inputs and (mix or truncation is not None):
        raise BadInput("--mix and --truncation are of samples: leave them out, or --inputs")
    strengths, chosen = parse_strengths(strength), parse_layers(layers)
    folder = RunDir(run)
    _, experiment, source = rebuild(folder)
    last, kind = experiment.phases[-1].game, source.spec["x"].modality
    space_of(last)  # refuses runs that have none
    if last.space is None and (mix or layers):
        raise BadInput(f"{run} has one latent for all layers: leave --{'mix' if mix else 'layers'} out")
    classes = parse_labels(last.codes, source.classes, labels)
    along = find_direction(folder.directions, direction, folder.identity()) if direction else None
    measured = _choose_measures(along, measure, kind)
    network, features_of = _choose_network(features, lpips_weights, source)
    rows = n or experiment.grid[0]
    images = read_inputs(inputs, image_size, data_dir, rows, source.spec["x"]) if inputs else {}

    game, state = restore(run, step, best)[2:4]
    key = jax.random.key(experiment.common.seed if seed is None else seed)

    def drawn(count: int, psi: float | None) -> Latents:
        latents = encode(game, state, draw_latents(game, key, count, cycle_classes(game) | classes))
        return latents if psi is None else truncate(game, state, latents, psi)

    if mix:
        both = drawn(2 * rows, truncation)
        sources, styles = ({name: leaf[i::2] for name, leaf in both.items()} for i in (0, 1))
        write_sheet(out, kind, mixing_sheet(game, state, sources, styles, mix))
    else:
        others, shown = sampler(in_space(game))(state, drawn(UNIT, None)), []
        embed = in_units(features_of, others)
        if images:
            nearest = mean_of(embed, in_units(pixels, others))
            latents, shown = _invert(game, state, nearest, images, key, classes)
        else:
            latents = drawn(rows, truncation)
        edits = edit_samples(game, state, latents, along, strengths, chosen)
        values = {f"distance ({network})": mean_distances(embed, edits)}
        values |= {each.name: _means(each, edits) for each in measured}
        _print(strengths, values)
        if curve:
            save_png(curve, edit_curves(strengths, values))
        write_edits(out, kind, shown, edits.after, strengths)
    print(out)


def _choose_measures(along: Direction | None, words: Sequence[str], kind: Modality) -> list[Attribute]:
    """Returns the attributes to measure: by default that of the direction."""
    words = words or ([along.attribute] if along and along.attribute else [])
    if words and kind is not IMAGE:
        raise BadInput("--measure is for runs that make images: leave it out")
    return [choose_attribute(word) for word in words]


def _choose_network(word: str, lpips_weights: Path | None, source: Source) -> tuple[str, Embed]:
    """Returns a feature network and its name: by default that of the data set, or else the samples themselves."""
    if not word and whole(source.name) not in BUILT_IN:
        return "values", pixels
    net = choose_features(word, None, source.spec["x"], source.name, lpips_weights)
    return net.name, lambda x: net.apply(net.params, 127.5 * (x + 1))


def _invert(
    game: Game,
    state: State,
    embed: Embed,
    images: Mapping[str, UInt8[np.ndarray, "H W C"]],
    key: Key[Array, ""],
    classes: Mapping[str, Values],
) -> tuple[Latents, list[Images]]:
    """Inverts images, and prints how far each is from what is generated; returns latents, images and inversions."""
    x = np.asarray(scale(jnp.asarray(np.stack(list(images.values())))))
    found = invert(game, state, embed, x, key, classes)
    for name, distance in zip(images, found.distance.tolist(), strict=True):
        print(f"inverted  {name}  distance {distance:.3f}")
    return found.latents, [x, sampler(in_space(game))(state, found.latents)]


def _means(attribute: Attribute, edits: Edits) -> list[float]:
    """Measures the mean of an attribute for every strength."""
    return [float(attribute.measure(to_uint8(images)).mean()) for images in np.moveaxis(edits.after, 1, 0)]


def _print(strengths: Sequence[float], values: Mapping[str, Sequence[float]]) -> None:
    """Prints the values of every strength as a table."""
    print("  ".join(["strength", *values]))
    for strength, *row in zip(strengths, *values.values(), strict=True):
        numbers = [f"{number:{len(name)}.3f}" for name, number in zip(values, row, strict=True)]
        print("  ".join([f"{strength:8.2f}", *numbers]))


def write_sheet(out: Path, kind: Modality, sheet: Float[np.ndarray, "rows cols ..."]) -> None:
    """Writes a sheet of mixed styles: a picture, or the samples in its cells as a .npz file."""
    cells = sheet.reshape(-1, *sheet.shape[2:])
    if out.suffix == ".npz":
        save_npz(out, {kind.plural: kind.encode(cells)})
    else:
        save_png(out, draw_samples(kind, cells, *sheet.shape[:2]))


def write_edits(
    out: Path, kind: Modality, shown: Sequence[Images], after: Float[np.ndarray, "N S ..."], strengths: Sequence[float]
) -> None:
    """Writes edits: a row per sample after what is `shown` beside it, a GIF there and back, or arrays."""
    if out.suffix == ".npz":
        n = len(after)
        names = {name: kind.encode(each) for name, each in zip(("inputs", "inversions"), shown, strict=False)}
        samples = kind.encode(after.reshape(-1, *after.shape[2:]))
        save_npz(out, {kind.plural: samples, "strengths": np.tile(np.float32(strengths), n), **names})
    elif out.suffix == ".gif":
        there = [*range(len(strengths)), *range(len(strengths) - 2, 0, -1)]
        save_animation(out, draw_frames(kind, after[:, there]))
    else:
        table = np.concatenate([*(each[:, None] for each in shown), after], axis=1)
        save_png(out, draw_samples(kind, table.reshape(-1, *table.shape[2:]), *table.shape[:2]))
