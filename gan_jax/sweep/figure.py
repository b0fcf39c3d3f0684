"""Draws the previews of a sweep: one row per setting, one column for each of the first few seeds."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from gan_jax.runs.checkpoint import Checkpoints
from gan_jax.sampling.preview import preview_picture
from gan_jax.sampling.sampler import sampler
from gan_jax.sweep.batched_runs import run_state, trainable
from gan_jax.sweep.grid import Combination
from gan_jax.sweep.runner import Program, locate_runs
from gan_jax.sweep.sweep_dir import SweepDir, identity
from gan_jax.sweep.table import shown
from gan_jax.training.loop import resume
from gan_jax.viz.images import contact_sheet, save_png

SHOWN = 5
"""The number of seeds per setting in the picture."""


def draw_samples(
    grid: Sequence[Combination],
    seeds: Sequence[int],
    exact: bool,
    all_programs: Sequence[Program],
    folder: SweepDir,
) -> None:
    """Writes one picture with the final previews of every setting and its first seeds."""
    trained = locate_runs(all_programs)
    runs = [trained[identity(c.settings, exact), seed] for c in grid for seed in seeds[:SHOWN]]
    for program in all_programs:
        _draw(program, [index for other, index in runs if other is program])
    cells = [np.atleast_3d(np.asarray(Image.open(program.folder.preview(index)))) for program, index in runs]
    flags = [name.replace("_", "-") for name in grid[0].varied]
    rows = shown([c.varied for c in grid])
    words = [", ".join(f"{flag} {word}" for flag, word in zip(flags, row, strict=True)) for row in rows]
    captions = [f"{word}, seed {seed}" if word else f"seed {seed}" for word in words for seed in seeds[:SHOWN]]
    sheet = contact_sheet(cells, captions, len(seeds[:SHOWN]))
    save_png(folder.sheet, sheet)


def _draw(program: Program, indices: Sequence[int]) -> None:
    """Draws the missing final previews of some runs of a program."""
    left = [index for index in indices if not program.folder.preview(index).exists()]
    if not left:
        return
    plan, many = program.runs.plan, len(program.runs.seeds)
    with Checkpoints(program.folder.checkpoints) as checkpoints:
        _, state = resume(trainable(program.runs), plan, checkpoints, program.runs.mesh)
    for c in sorted({index // many for index in left}):
        experiment = program.runs.build(program.runs.source, **program.runs.combinations[c].kwargs)
        game = experiment.phases[-1].game
        draw = preview_picture(experiment, game, program.runs.data, sampler(game))
        for index in (index for index in left if index // many == c):
            save_png(program.folder.preview(index), draw(run_state(state, index)))
