"""`gan-jax sample`: draws from a checkpoint of a run."""

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import jax
import numpy as np
import tyro
from jaxtyping import Float, Shaped

from gan_jax.cli.codes import parse_choice
from gan_jax.config.flags import NonNegativeInt, PositiveInt, Seed
from gan_jax.errors import BadInput
from gan_jax.runs.files import write_atomic
from gan_jax.runs.run_dir import RunDir
from gan_jax.sampling.latents import cycle_classes, draw_latents, interpolate_latents, sweep_code
from gan_jax.sampling.sampler import sampler
from gan_jax.training.restore import rebuild, restore
from gan_jax.viz import scatter2d
from gan_jax.viz.images import image_grid, save_png, to_uint8


def sample(
    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")],
    n: PositiveInt | None = None,
    seed: Seed | None = None,
    labels: tuple[str, ...] = (),
    codes: tuple[str, ...] = (),
    vary: str = "",
    interpolate: PositiveInt | None = None,
    step: NonNegativeInt | None = None,
    best: bool = False,
    out: Path | None = None,
) -> None:
    """Draws from a checkpoint of a run.

    Args:
        run: The folder of a run.
        n: How many samples, by default as many as the run's own grids; with --vary or --interpolate how many rows.
        seed: Which samples; by default the run's seed, which draws its grids again.
        labels: Classes to draw, in turn, where the run's generator has classes, by their names or numbers; by default
            all of them.
        codes: Values of the generator's codes, as in c1=3 c2=-0.5; several, c1=3,8, are dealt in turn.
        vary: Draw every sample as a row in which this code takes all its values: c1, or c2:-2:2 to say from where to
            where.
        interpolate: Draw every sample as a row of this many steps towards another one.
        step: Which checkpoint, by default the last.
        best: Draw from the checkpoint that the run's --best kept.
        out: File to write: .png a grid, .npz arrays; by default RUN/sample.png.
    """
    out = out or run / "sample.png"
    if out.suffix not in (".png", ".npz"):
        raise BadInput(f"--out {out} is neither .png nor .npz: choose one of the two")
    if vary and interpolate:
        raise BadInput("--vary and --interpolate are two kinds of row: choose one of them")
    _, experiment, source = rebuild(RunDir(run))
    if out.suffix == ".png" and len(source.shape) != 3 and source.shape != (2,):
        raise BadInput(f"samples of shape {source.shape} are no picture: give --out FILE.npz")
    # Of any phase: which one the checkpoint is of is known when it is restored.
    known = {name: code for phase in experiment.phases for name, code in phase.game.codes.items()}
    chosen = parse_choice(known, source.classes, labels, codes, vary)

    game, state = restore(run, step, best)[2:4]
    key = jax.random.key(experiment.common.seed if seed is None else seed)
    given, (rows, cols) = cycle_classes(game) | chosen.given, experiment.grid
    if chosen.varied or interpolate:
        n = rows = n or rows
    elif n not in (None, rows * cols):
        cols = math.ceil(math.sqrt(n))
        rows = math.ceil(n / cols)
    n = n or rows * cols
    if chosen.varied:
        name, values = chosen.varied
        drawn, cols = sweep_code(game, draw_latents(game, key, n, given), name, values), len(values)
    elif interpolate:
        ends = draw_latents(game, key, 2 * n, given)
        start, end = ({name: leaf[part] for name, leaf in ends.items()} for part in (slice(n), slice(n, None)))
        drawn, cols = interpolate_latents(start, end, interpolate), interpolate
    else:
        drawn = draw_latents(game, key, n, given)
    write_samples(out, sampler(game)(state, drawn), {name: np.asarray(drawn[name]) for name in game.codes}, rows, cols)
    print(out)


def write_samples(
    out: Path,
    samples: Float[np.ndarray, "N ..."],
    codes: Mapping[str, Shaped[np.ndarray, " N"]],
    rows: int,
    cols: int,
) -> None:
    """Writes images or points, with their codes, as arrays, or row by row as a picture, which points in space have not.

    Labels, the code `y`, are called `labels`.
    """
    named = {"images": to_uint8(samples)} if samples.ndim == 4 else {"points": samples}
    if out.suffix == ".npz":
        arrays = io.BytesIO()
        np.savez(arrays, **named, **{("labels" if name == "y" else name): values for name, values in codes.items()})
        write_atomic(out, arrays.getvalue())
    elif "images" in named:
        save_png(out, image_grid(named["images"], rows, cols))
    else:
        save_png(out, scatter2d.scatter(samples[:0], samples, extent=scatter2d.extent_of(samples)))
