"""An experiment: phases, data and seed, a frozen value that one function in `experiments/` builds."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import UInt8

from gan_jax.config.flags import NonNegativeInt, PositiveInt, Seed
from gan_jax.engine.game import Game, Latents, Metrics, State, images_per_step


@dataclass(frozen=True)
class RunConfig:
    """The flags that every experiment has."""

    images: PositiveInt
    """Length of the run: real images shown to the discriminator."""
    batch_size: PositiveInt
    """Real examples in every turn."""
    data: str = "mnist5k"
    """What to imitate: mnist5k (no download), a TFDS name such as mnist, either with stacked: before it (three digits
    in the colors of one image), a path to an image folder or archive, a toy world of points (ring, grid, spiral,
    moons), or a .npy file of points. mnist5k:500 is 500 of it, as many of each class, always the same ones; so for any
    data with labels."""
    data_dir: Path | None = None
    """Folder with the original archives of a TFDS data set, instead of a download."""
    image_size: PositiveInt | None = None
    """Crop and resize the images of a folder or archive to squares of this many pixels a side; stacked digits are
    padded to 32."""
    pipeline: Literal["device", "tf"] = "device"
    """Keep the data set on the device, or stream it with tf.data. The batches are the same."""
    seed: Seed = 0
    """The one number that all random numbers and the order of the data follow from."""
    deterministic: bool = False
    """Leave out operations that make two runs on one GPU differ; slower. On a CPU runs are the same without it."""
    rollbacks: NonNegativeInt = 0
    """How many times to go back to the last checkpoint, and on from there with other random numbers, where a loss, a
    gradient or an update is not finite; then, or with 0 at once, the run stops."""
    run_dir: Path | None = None
    """Where the run is written; by default runs/<experiment>-<seed>. The same command resumes what is there."""
    log_every: PositiveInt = 100
    """Steps in one dispatch, after which metrics are logged."""
    sample_every: PositiveInt = 200
    """Steps between two sample grids."""
    checkpoint_every: PositiveInt = 1000
    """Steps between two checkpoints."""
    keep: PositiveInt = 2
    """How many of the last checkpoints are kept."""
    best: str = ""
    """A metric or score, such as g/loss or fid: the checkpoint where it was best is kept too."""
    evaluate: str = ""
    """Scores computed while the run is trained, as in fid,prdc; none by default. gan-jax evaluate --help lists them."""
    evaluate_every: PositiveInt = 100_000
    """Real images shown between two evaluations; the end of the run is one too."""
    evaluate_samples: PositiveInt = 10_000
    """Samples of every evaluation, and real images that they are compared with."""
    features: str = ""
    """The network that evaluations see images through, as of gan-jax evaluate."""
    inception_weights: Path | None = None
    """Weights of the FID Inception network, to see images through that one."""


JUDGED = frozenset(("evaluate", "evaluate_every", "evaluate_samples", "features", "inception_weights"))
"""The flags that say what is found out about a run, of which training sees nothing."""

FOUND_OUT = JUDGED | {"best", "keep", "rollbacks"}
"""The flags by which a run is read; those of the last command hold."""

DURATION_AND_PLACE = FOUND_OUT | frozenset(
    ("images", "data_dir", "pipeline", "run_dir", "log_every", "sample_every", "checkpoint_every")
)
"""The flags that say how long, where and how often, not what: a run may be resumed with other values."""


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
