"""The sheet of samples: a row for every setting, a column for each of the first few seeds."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from gan_jax.runs.checkpoint import Checkpoints
from gan_jax.sampling.preview import preview_picture
from gan_jax.sampling.sampler import sampler
from gan_jax.sweep.batched_runs import lane_state, runner
from gan_jax.sweep.grid import Combination
from gan_jax.sweep.runner import Program, where
from gan_jax.sweep.sweep_dir import SweepDir, identity
from gan_jax.sweep.table import short
from gan_jax.training.loop import resume
from gan_jax.viz.images import contact_sheet, save_png

SHOWN = 5
"""How many seeds the sheet shows of every setting."""


def draw_sheet(
    grid: Sequence[Combination],
    seeds: Sequence[int],
    exact: bool,
    all_programs: Sequence[Program],
    folder: SweepDir,
) -> None:
    """One picture: a row for every setting, and what some of its seeds ended in."""
    trained = where(all_programs)
    runs = [trained[identity(c.settings, exact), seed] for c in grid for seed in seeds[:SHOWN]]
    for program in all_programs:
        _draw(program, [lane for other, lane in runs if other is program])
    cells = [np.atleast_3d(np.asarray(Image.open(program.folder.preview(lane)))) for program, lane in runs]
    words = [", ".join(f"{name.replace('_', '-')} {short(word)}" for name, word in c.varied.items()) for c in grid]
    captions = [f"{word}, seed {seed}" if word else f"seed {seed}" for word in words for seed in seeds[:SHOWN]]
    sheet = contact_sheet(cells, captions, len(seeds[:SHOWN]))
    save_png(folder.sheet, sheet)


def _draw(program: Program, lanes: Sequence[int]) -> None:
    """Draws those lanes' last states that have not been drawn."""
    left = [lane for lane in lanes if not program.folder.preview(lane).exists()]
    if not left:
        return
    plan, many = program.lanes.plan, len(program.lanes.seeds)
    with Checkpoints(program.folder.checkpoints) as checkpoints:
        _, state = resume(runner(program.lanes), plan, checkpoints, program.lanes.mesh)
    for c in sorted({lane // many for lane in left}):
        experiment = program.lanes.build(program.lanes.source, **program.lanes.combinations[c].kwargs)
        game = experiment.phases[-1].game
        draw = preview_picture(experiment, game, sampler(game))
        for lane in (lane for lane in left if lane // many == c):
            save_png(program.folder.preview(lane), draw(lane_state(state, lane)))
