"""An experiment: phases, data and seed, as a frozen value. A file in `experiments/` builds it from flags."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args

import jax
import numpy as np
from jaxtyping import UInt8

from gan_jax.config.flags import NonNegativeInt, PositiveInt, Seed
from gan_jax.data.source import Source
from gan_jax.engine.game import Game, Latents, Metrics, State, images_per_step
from gan_jax.engine.parallel import Step
from gan_jax.engine.step import make_step


class Affects(NamedTuple):
    """Marker of a flag that leaves training unchanged; `what` names the aspect of a run that it affects instead."""

    what: str


@dataclass(frozen=True)
class RunConfig:
    """The flags of every experiment."""

    images: Annotated[PositiveInt, Affects("length")]
    """Length of the run, in real images shown to the discriminator. A run may be resumed with more."""
    batch_size: PositiveInt
    """Real examples per turn."""
    data: str = "mnist5k"
    """Data set: mnist5k (no download), a TFDS name such as mnist, an image folder or archive, images or points in a
    .npz file, points (ring, grid, spiral, moons) or a .npy file of them. Prefixes: stacked: (three digits as the colors
    of one image), ground: (digits on grounds of random color), ground=photos/: (on crops of photographs), color: (gray
    images as color), label=Smiling: (a column of a .csv file beside images as their label), attributes: (all of them as
    an array), audio:sounds/ (.wav or .flac files, or a .npz file, in windows of 4,096 samples), audio=8192:sounds/,
    video:clips/ and video=24:clips/ (videos, in windows of 16 or 24 frames), moving: (videos of images that move),
    atari:pong (a game, with its actions). The data set tones (sounds) needs no files. For any data with labels, a
    number selects a fixed class-balanced subset: mnist5k:500 has 500 examples."""
    pair: str = ""
    """Names of the inputs and the targets of paired data, in this order: two folders matched by file name, as in
    label,photo; the halves of one image, left,right; or two arrays of a .npz file, a,x. auto takes well-known names."""
    to: str = ""
    """A second data set, unpaired with --data: images of domain b, as in --data mnist --to usps.npz; or a class of data
    with two classes. auto takes the two classes, or the folders trainA and trainB."""
    tile: PositiveInt | None = None
    """Cut photographs of different sizes into squares of this many pixels a side; those of inputs that are smaller by a
    whole factor are cut to match."""
    data_dir: Annotated[Path | None, Affects("place")] = None
    """Folder with the original archives of a TFDS data set, instead of a download."""
    image_size: PositiveInt | None = None
    """Crop and resize images to squares of this many pixels a side; stacked digits are padded to 32."""
    pipeline: Annotated[Literal["device", "tf"], Affects("place")] = "device"
    """Keep the data set on the device, or stream it with tf.data. The batches are the same."""
    seed: Seed = 0
    """Seed of all random numbers and of the order of the data."""
    schedule_images: PositiveInt | None = None
    """Length for which learning-rate schedules, annealing and phases are made; by default the --images that the run
    began with. A longer run holds their last values and continues the last phase, a shorter one stops before."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Type in which networks compute. With bfloat16, parameters, statistics, logits, losses, penalties and moving
    averages stay float32."""
    remat: bool = False
    """Keep only the results of products for the backward pass, and compute norms and activation functions again: less
    memory on accelerators, a little slower."""
    accumulate: PositiveInt = 1
    """Equal parts of a batch whose gradients are averaged before each update: the step of the whole batch in less
    memory. Batch norm, minibatch deviation and relativistic averages see a part only."""
    deterministic: bool = False
    """Use deterministic GPU kernels only (slower). CPU runs are deterministic either way."""
    rollbacks: Annotated[NonNegativeInt, Affects("retention")] = 0
    """Number of times to return to the last checkpoint and continue with other random numbers when a loss, a gradient
    or an update is not finite; after that the run stops."""
    run_dir: Annotated[Path | None, Affects("place")] = None
    """Folder of the run; by default runs/<experiment>-<seed>. The same command resumes the run in it."""
    log_every: Annotated[PositiveInt, Affects("logging")] = 100
    """Steps per dispatch; metrics are logged after each."""
    sample_every: Annotated[PositiveInt, Affects("logging")] = 200
    """Steps between two previews."""
    checkpoint_every: Annotated[PositiveInt, Affects("logging")] = 1000
    """Steps between two checkpoints."""
    keep: Annotated[PositiveInt, Affects("retention")] = 2
    """Number of latest checkpoints to keep."""
    best: Annotated[str, Affects("retention")] = ""
    """Also keep the checkpoint where this metric or score, such as g/loss or fid, was best."""
    evaluate: Annotated[str, Affects("evaluation")] = ""
    """Metrics to compute during training, as in fid,prdc; none by default. gan-jax evaluate --help lists them."""
    evaluate_every: Annotated[PositiveInt, Affects("evaluation")] = 100_000
    """Real images shown between two evaluations; the end of the run is evaluated too."""
    evaluate_samples: Annotated[PositiveInt, Affects("evaluation")] = 10_000
    """Samples per evaluation, and the number of real images to compare them with."""
    features: Annotated[str, Affects("evaluation")] = ""
    """Feature network for evaluation, as in gan-jax evaluate."""
    inception_weights: Annotated[Path | None, Affects("evaluation")] = None
    """Weights file of the FID Inception network, to use that network for evaluation."""


def flags_affecting(*what: str) -> frozenset[str]:
    """Returns the flags that affect only these aspects of a run: length, place, logging, retention, evaluation."""
    marks = {Affects(each) for each in what}
    return frozenset(each.name for each in fields(RunConfig) if marks.intersection(get_args(each.type)))


RESUMABLE = flags_affecting("length", "place", "logging", "retention", "evaluation")
"""The flags that leave training unchanged: a run may be resumed with other values."""


class Row(NamedTuple):
    """One row of an experiment file's `PRESETS` table: a paper, and the defaults of its flags."""

    title: str
    """Shown by `gan-jax list`: the family, its paper, and what it adds."""
    run: RunConfig
    """Defaults of the flags that every experiment has."""
    presets: Mapping[str, Any]
    """A `Config` of the file for every `--preset`; the first is the default."""
    expect: str = ""
    """Expected score, and the time it takes."""


@dataclass(frozen=True, eq=False)
class Phase:
    """A game, and the number of images it is played for. The next phase keeps leaves of equal path, shape and dtype."""

    game: Game
    images: int
    batch_size: int | None = None
    """Real examples per turn; by default the run's. A step is dealt the examples that it would be in a run of this
    batch size throughout, so the order of the data jumps where it changes."""

    def flags(self, common: RunConfig) -> RunConfig:
        """Returns the flags of the run with the batch size of the phase."""
        return replace(common, batch_size=self.batch_size or common.batch_size)

    @cached_property
    def step(self) -> Step:
        """The step of the game, traced once for all its uses: the names of its metrics, and every chunk."""
        return jax.jit(make_step(self.game), inline=True)


class Evaluation(NamedTuple):
    """The scores of an experiment, computed at every preview."""

    scores: Callable[[Mapping[str, Any], Latents], Metrics]
    """`scores(nets, latents) -> {name: scalar}`; pure. Calls the `.ema` networks on the latents of every sample. In a
    game with conditions the latents have all arrays of the examples, the target too."""
    samples: int
    """Number of latents, which are the same each time."""
    higher: frozenset[str] = frozenset()
    """The scores where higher is better; for the others, lower is."""
    success: Callable[[Mapping[str, float]], bool] = lambda scores: all(map(math.isfinite, scores.values()))
    """Whether a run with these scores succeeded; by default, whether they are finite."""


class Experiment(NamedTuple):
    """The phases to train, in order, and the flags of the run."""

    phases: tuple[Phase, ...]
    common: RunConfig
    grid: tuple[int, int] = (5, 5)
    """Rows and columns of the preview."""
    evaluation: Evaluation | None = None
    preview: Callable[[Game], Callable[[State], UInt8[np.ndarray, "H W C"]]] | None = None
    """`preview(game)(state) -> picture`, in place of the grid of images; for samples that are not images."""
    save_at: frozenset[int] = frozenset()
    """Steps whose states are saved besides those of `--checkpoint-every`; `reproduce` compares them."""
    data: Source | None = None
    """The examples to play on, where they are derived from those opened: their low resolution, noise, holes."""

    def played_on(self, source: Source) -> Source:
        """Returns the examples to play on, where `source` was opened."""
        return self.data or source


Build = Callable[..., Experiment]
"""`build(source, common, ...) -> Experiment`; its parameters after `source` are the flags of the experiment.

To the function of an experiment's file, `common.images` is the length of its schedules: see `run_length`."""


class ScheduledPhase(NamedTuple):
    """A phase with its range of steps, and the number of real images shown before it."""

    phase: Phase
    steps: range
    images_before: int
    images_per_step: int
    save_at: frozenset[int] = frozenset()
    """That of the experiment."""

    @property
    def game(self) -> Game:
        """The game of the phase."""
        return self.phase.game

    def images(self, step: int) -> int:
        """Returns the number of real images shown to the discriminator in the run's first `step` steps."""
        return self.images_before + (step - self.steps.start) * self.images_per_step

    def periods(self, common: RunConfig) -> tuple[int, ...]:
        """Returns the steps between two logs, previews, checkpoints and evaluations."""
        regular = (common.log_every, common.sample_every, common.checkpoint_every)
        return (*regular, self.between_evaluations(common)) if common.evaluate else regular

    def between_evaluations(self, common: RunConfig) -> int:
        """Returns the steps between two evaluations: `evaluate_every` images, rounded to the nearest step."""
        return max(1, round(common.evaluate_every / self.images_per_step))


def schedule_phases(experiment: Experiment) -> list[ScheduledPhase]:
    """Schedules the phases one after the other, each rounded up to whole steps."""
    laid: list[ScheduledPhase] = []
    step = images = 0
    for phase in experiment.phases:
        each = images_per_step(phase.game, phase.flags(experiment.common).batch_size)
        steps = range(step, step - (-phase.images // each))
        laid.append(ScheduledPhase(phase, steps, images, each, experiment.save_at))
        step, images = steps.stop, laid[-1].images(steps.stop)
    return laid
