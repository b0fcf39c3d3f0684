"""`gan-jax sample`: draws samples from a checkpoint of a run."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import jax
import numpy as np
import tyro
from jaxtyping import Array, Float, Key, Shaped

from gan_jax.cli.codes import CodeChoice, parse_choice
from gan_jax.cli.translate import Inputs, translate
from gan_jax.config.flags import NonNegativeFloat, NonNegativeInt, PositiveInt, Seed
from gan_jax.data import Source
from gan_jax.data.modality import AUDIO, Modality
from gan_jax.engine.game import Batch, Game, Latents, State
from gan_jax.errors import BadInput
from gan_jax.runs.files import save_npz
from gan_jax.runs.run_dir import RunDir
from gan_jax.sampling.latents import cycle_classes, draw_latents, sweep_code
from gan_jax.sampling.pictures import draw_frames, draw_samples, near_square
from gan_jax.sampling.preview import spread_examples
from gan_jax.sampling.sampler import sampler
from gan_jax.sampling.space import encode, in_space, space_of, truncate, walk
from gan_jax.sampling.translation import draw_columns, play_columns, side_by_side_columns
from gan_jax.training.restore import open_examples, rebuild, restore
from gan_jax.viz.animation import save_animation
from gan_jax.viz.images import save_png
from gan_jax.viz.sounds import in_sequence, save_wav

Layout = tuple[int, int]
"""Rows and columns of a picture."""


def sample(
    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")],
    n: PositiveInt | None = None,
    seed: Seed | None = None,
    labels: tuple[str, ...] = (),
    codes: tuple[str, ...] = (),
    vary: str = "",
    interpolate: PositiveInt | None = None,
    truncation: NonNegativeFloat | None = None,
    inputs: str = "",
    image_size: PositiveInt | None = None,
    data_dir: Path | None = None,
    domain: str = "",
    step: NonNegativeInt | None = None,
    best: bool = False,
    out: Path | None = None,
) -> None:
    """Draws samples from a checkpoint of a run.

    Args:
        run: Folder of the run.
        n: Number of samples, or of rows with --vary or --interpolate; by default as in the run's previews.
        seed: Seed of the samples; by default the run's seed, which gives the samples of its previews.
        labels: Classes to draw, by name or number (by name only where all names are numbers), cycled over the samples;
            by default all classes. For conditional games only.
        codes: Values of the generator's codes, as in c1=3 c2=-0.5. Several values, c1=3,8, are cycled over the samples.
        vary: Draw every sample as a row along which this code varies: c1 over its whole range, or c2:-2:2 from -2 to 2.
        interpolate: Draw every sample as a row of this many steps that ends at another sample.
        truncation: Scale the distance of the latents from their mean by this factor: less variety below 1, and with 0
            one image of every class.
        inputs: Images or label maps to translate, for games on inputs: a folder, archive, folder inside an archive or
            .npz file of images of any size, or a data set, as in mnist@test. By default inputs of the run's own data,
            beside their targets.
        image_size: Crop and resize --inputs to squares of this many pixels a side, as in training.
        data_dir: Folder with the original archives of the data set that --inputs names, instead of a download.
        domain: Which of the game's inputs they are, as in b, for games that translate both ways; by default the first.
        step: Step of the checkpoint; by default the last one.
        best: Use the checkpoint kept by the run's --best.
        out: File to write: .png for a picture, .npz for arrays, .gif for rows as an animation, or videos; by default
            RUN/sample.png. Of sounds .png shows spectrograms, .wav has one after another, and a folder a .wav file of
            each, by number and label. With --inputs a folder of files named as the inputs.
    """
    out = out or run / "sample.png"
    rows = bool(vary or interpolate)
    if out.suffix not in (".png", ".npz", ".gif", "", *[".wav"] * (not inputs)):
        raise _unknown(out)
    if vary and interpolate:
        raise BadInput("--vary and --interpolate are two kinds of row: choose one of them")
    if image_size and not inputs:
        raise BadInput("--image-size is for --inputs: samples have the size that the run was trained on")
    if data_dir and not inputs:
        raise BadInput("--data-dir is for --inputs: the run knows its own data")
    _, experiment, source = rebuild(RunDir(run))
    plays = "x" in source.spec and source.spec["x"].modality.frame is not None
    if out.suffix == ".gif" and not (rows or plays):
        raise _unknown(out)
    if (inputs or domain) and not experiment.phases[-1].game.conditions:
        raise BadInput(f"{run} makes samples without inputs: leave --{'inputs' if inputs else 'domain'} out")
    if not inputs and out.suffix in (".wav", ""):
        check_sounds(run, source, experiment.phases[-1].game, out)
    if interpolate and experiment.phases[-1].game.conditions:
        raise BadInput(f"{run} makes samples of inputs, with no path between them: leave --interpolate out")
    if truncation is not None:
        space_of(experiment.phases[-1].game)
    # Codes of any phase, because the phase of the checkpoint is known only once it is restored.
    known = {name: code for phase in experiment.phases for name, code in phase.game.codes.items()}
    choice = parse_choice(known, source.classes, labels, codes, vary)

    game, state = restore(run, step, best)[2:4]
    key = jax.random.key(experiment.common.seed if seed is None else seed)
    if inputs:
        return translate(game, state, source.spec, Inputs(inputs, image_size, data_dir, domain, n), key, out)
    if game.conditions:
        examples = spread_examples(open_examples(RunDir(run)), n or math.prod(experiment.grid))
        write_translations(out, game, state, key, examples)
    else:
        latents, layout = choose_latents(game, state, key, n, experiment.grid, choice, interpolate)
        if truncation is not None:
            latents = truncate(game, state, encode(game, state, latents), truncation)
        played = in_space(game) if game.space and game.space.name in latents else game
        drawn_codes = {name: np.asarray(latents[name]) for name in game.codes}
        write_samples(out, source.spec["x"].modality, sampler(played)(state, latents), drawn_codes, layout)
    print(out)


def check_sounds(run: Path, source: Source, game: Game, out: Path) -> None:
    """Raises `BadInput` if a run makes no sounds from noise, or `out` is a folder with files."""
    kind = next(iter(source.spec.values())).modality
    if kind.name != AUDIO or game.conditions:
        made = "samples of inputs" if game.conditions else kind.plural
        raise BadInput(f"--out {out} is for sounds, but {run} makes {made}: choose .png or .npz")
    if out.is_dir() and any(out.iterdir()):
        raise BadInput(f"{out} holds files already: choose another folder for --out")


def _unknown(out: Path) -> BadInput:
    return BadInput(f"--out {out} is neither .png nor .npz: choose one of the two, or .gif for --interpolate or videos")


def write_translations(out: Path, game: Game, state: State, key: Key[Array, ""], examples: Batch) -> None:
    """Writes what a game makes of examples, with their inputs and targets: a picture, arrays, or videos that play."""
    n = len(next(iter(examples.values())))
    samples = sampler(game)(state, draw_latents(game, key, n, examples=examples))
    columns = side_by_side_columns(game, samples, examples)
    if out.suffix == ".npz":
        only = game.conditions[0] if len(game.conditions) == 1 else None
        save_npz(out, {("inputs" if name == only else name): array for name, array in columns.items()})
    elif out.suffix == ".gif":
        save_animation(out, play_columns(columns, *near_square(n)), hold=0)
    else:
        save_png(out, draw_columns(columns, *near_square(n)))


def choose_latents(
    game: Game,
    state: State,
    key: Key[Array, ""],
    n: int | None,
    grid: Layout,
    choice: CodeChoice,
    interpolate: int | None,
) -> tuple[Latents, Layout]:
    """Draws the latents of the samples, and lays them out: one by one, or as rows that vary a code or interpolate.

    Args:
        game: the game to sample from.
        state: its state.
        key: a scalar typed key.
        n: the number of samples or rows; by default as in `grid`.
        grid: the layout of the run's previews.
        choice: the codes.
        interpolate: the number of steps along a row, if rows interpolate.
    """
    given = cycle_classes(game) | choice.given
    if choice.varied:
        name, values = choice.varied
        rows = n or grid[0]
        return sweep_code(game, draw_latents(game, key, rows, given), name, values), (rows, len(values))
    if interpolate:
        rows = n or grid[0]
        ends = draw_latents(game, key, 2 * rows, given)
        start, end = ({name: leaf[part] for name, leaf in ends.items()} for part in (slice(rows), slice(rows, None)))
        return walk(game, state, start, end, interpolate), (rows, interpolate)
    count = n or math.prod(grid)
    return draw_latents(game, key, count, given), grid if count == math.prod(grid) else near_square(count)


def write_samples(
    out: Path,
    kind: Modality,
    samples: Float[np.ndarray, "N ..."],
    codes: Mapping[str, Shaped[np.ndarray, " N"]],
    layout: Layout,
) -> None:
    """Writes samples of a kind: arrays with their codes (`y` as `labels`), a picture, an animation, or sounds.

    An animation plays what moves by itself, all samples at once; of other kinds, its frames go along the rows.
    """
    if out.suffix == ".npz":
        codes = {("labels" if name == "y" else name): values for name, values in codes.items()}
        rate = {"rate": np.array(kind.rate)} if kind.rate else {}
        save_npz(out, {kind.plural: kind.encode(samples), **rate, **codes})
    elif out.suffix == ".gif" and kind.frame:
        save_animation(out, draw_frames(kind.frame, samples, layout), hold=0)
    elif out.suffix == ".gif":
        save_animation(out, draw_frames(kind, samples.reshape(*layout, *samples.shape[1:])))
    elif out.suffix == ".wav":
        save_wav(out, in_sequence(samples, kind.rate), kind.rate)
    elif not out.suffix:
        labels = [f"_{label}" for label in codes["y"]] if "y" in codes else len(samples) * [""]
        for i, (sound, label) in enumerate(zip(samples, labels, strict=True)):
            save_wav(out / f"{i:04d}{label}.wav", sound, kind.rate)
    else:
        save_png(out, draw_samples(kind, samples, *layout))
