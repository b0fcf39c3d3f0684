"""An experiment: phases, data and seed, a frozen value that one function in `experiments/` builds."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import UInt8

from gan_jax.config.flags import NonNegativeInt, PositiveInt, Seed
from gan_jax.engine.game import Game, Latents, Metrics, State, images_per_step


class Affects(NamedTuple):
    """Marks a flag that does not decide what is trained, and says what it decides instead."""

    what: str


@dataclass(frozen=True)
class RunConfig:
    """The flags that every experiment has."""

    images: Annotated[PositiveInt, Affects("length")]
    """Length of the run, in real images shown to the discriminator."""
    batch_size: PositiveInt
    """Real examples per turn."""
    data: str = "mnist5k"
    """Data set: mnist5k (no download), a TFDS name such as mnist, either with the prefix stacked: (three digits as the
    colors of one image), an image folder or archive, points (ring, grid, spiral, moons), or a .npy file of points.
    mnist5k:500 is a fixed class-balanced subset of 500 examples; so for any data with labels."""
    data_dir: Annotated[Path | None, Affects("place")] = None
    """Folder with the original archives of a TFDS data set, instead of a download."""
    image_size: PositiveInt | None = None
    """Crop and resize the images of a folder or archive to squares of this many pixels a side; stacked digits are
    padded to 32."""
    pipeline: Annotated[Literal["device", "tf"], Affects("place")] = "device"
    """Keep the data set on the device, or stream it with tf.data. The batches are the same."""
    seed: Seed = 0
    """Seed of all random numbers and of the order of the data."""
    deterministic: bool = False
    """Use deterministic GPU kernels only (slower). CPU runs are deterministic either way."""
    rollbacks: Annotated[NonNegativeInt, Affects("retention")] = 0
    """How many times to return to the last checkpoint and go on with other random numbers where a loss, a gradient or
    an update is not finite. After that, or with 0 at once, the run stops."""
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
    """Names the flags of `RunConfig` that affect only the length, place, logging, retention or evaluation of a run."""
    marks = {Affects(each) for each in what}
    return frozenset(each.name for each in fields(RunConfig) if marks.intersection(get_args(each.type)))


RESUMABLE = flags_affecting("length", "place", "logging", "retention", "evaluation")
"""The flags that do not decide what is trained: a run may be resumed with other values."""


class Row(NamedTuple):
    """One row of an experiment file's `PRESETS` table: a paper, and the defaults of its flags."""

    title: str
    """Shown by `gan-jax list`: the family, its paper, and what it adds."""
    run: RunConfig
    """Defaults of the flags that every experiment has."""
    presets: Mapping[str, Any]
    """A `Config` of the file for every `--preset`; the first is the default."""
    expect: str = ""
    """Expected score, with the seconds or minutes that it takes."""


class Phase(NamedTuple):
    """A game, and how many images it is played for. Whoever plays on keeps what has the same shape."""

    game: Game
    images: int


class Evaluation(NamedTuple):
    """How a run is judged while it is trained, at every sample grid."""

    scores: Callable[[Mapping[str, Any], Latents], Metrics]
    """`scores(nets, latents) -> {name: scalar}`; pure. Calls the `.ema` networks on the latents of every sample."""
    samples: int
    """How many latents are drawn; the same ones each time."""
    higher: frozenset[str] = frozenset()
    """The scores of which more is better; of the others, less."""
    success: Callable[[Mapping[str, float]], bool] = lambda scores: all(map(math.isfinite, scores.values()))
    """Whether a run with these scores did what the experiment is for; by default, that they are finite."""


class Experiment(NamedTuple):
    """What is trained, one phase after the other, under which flags."""

    phases: tuple[Phase, ...]
    common: RunConfig
    grid: tuple[int, int] = (5, 5)
    """Rows and columns of the sample grids."""
    evaluation: Evaluation | None = None
    preview: Callable[[Game], Callable[[State], UInt8[np.ndarray, "H W C"]]] | None = None
    """`preview(game)(state) -> picture`, in place of the sample grid: for samples that are no images."""


class ScheduledPhase(NamedTuple):
    """A phase in its place: the steps that it is played for, and what has been shown when they begin."""

    game: Game
    steps: range
    images_before: int
    images_per_step: int

    def images(self, step: int) -> int:
        """Real images shown to the discriminator by the end of `step` steps of the run."""
        return self.images_before + (step - self.steps.start) * self.images_per_step

    def periods(self, common: RunConfig) -> tuple[int, ...]:
        """After how many steps, over and over, there is something to do."""
        regular = (common.log_every, common.sample_every, common.checkpoint_every)
        return (*regular, self.between_evaluations(common)) if common.evaluate else regular

    def between_evaluations(self, common: RunConfig) -> int:
        """Steps from one evaluation to the next: `evaluate_every` images, to the nearest step."""
        return max(1, round(common.evaluate_every / self.images_per_step))


def schedule_phases(experiment: Experiment) -> list[ScheduledPhase]:
    """The phases laid end to end, each rounded up to whole steps."""
    laid: list[ScheduledPhase] = []
    step = images = 0
    for phase in experiment.phases:
        each = images_per_step(phase.game, experiment.common.batch_size)
        steps = range(step, step - (-phase.images // each))
        laid.append(ScheduledPhase(phase.game, steps, images, each))
        step, images = steps.stop, laid[-1].images(steps.stop)
    return laid
