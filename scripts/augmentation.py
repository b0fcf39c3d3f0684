"""Do labeled samples of a conditional GAN help a classifier? Test accuracy with and without them, over seeds.

    gan-jax train projection --data mnist5k:500 --seed 0 --run-dir runs/few-0      # and seeds 1, 2
    python scripts/augmentation.py runs/few-0 runs/few-1 runs/few-2

For every run a classifier is trained three times, for equally many steps: on the images that the run was trained on, on
these and samples, half and half, and on samples alone. Prints a Markdown table, runs that differ in their seed in one
row, and before it what each run came to.

The classifier is `gan_jax.metrics.features.classifier`, which shifts what it is trained on by up to two pixels: what
generated images add, they add to that. On both it sees as many real images as generated ones. Of the plain union the
real images' share would be whatever the number of samples leaves them.

Ravuri and Vinyals 2019, "Classification accuracy score for conditional generative models", call the accuracy of
training on generated images the classification accuracy score, and that of training on both the naive augmentation
score.
"""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import jax
import numpy as np
import tyro
from jaxtyping import Array, Key

from gan_jax.config.flags import PositiveInt
from gan_jax.data import open_source
from gan_jax.errors import BadInput
from gan_jax.evaluation import tables
from gan_jax.evaluation.inputs import LabeledImages, read_all
from gan_jax.evaluation.protocol import Results
from gan_jax.metrics.features.classifier import BATCH, accuracy, train_classifier
from gan_jax.runs.digest import digest
from gan_jax.sampling.latents import draw_latents
from gan_jax.sampling.sampler import sampler
from gan_jax.training.restore import RestoredRun, restore
from gan_jax.viz.images import to_uint8

WAYS = ("real", "real + generated", "generated")
"""What a classifier is trained on."""


def labeled_samples(run: RestoredRun, n: int) -> LabeledImages:
    """`n` samples of a conditional game, its classes in turn: those that `gan-jax sample` draws by default.

    Raises:
        BadInput: the game is asked for no labels.
    """
    if "y" not in run.game.codes:
        raise BadInput(f"{run.manifest.name} makes no labeled images: give runs of a conditional game")
    classes = range(run.game.codes["y"].classes)
    drawn = draw_latents(run.game, jax.random.key(run.experiment.common.seed), n, {"y": classes})
    with jax.default_matmul_precision("highest"):  # what a GPU rounds to be fast would depend on the machine
        images = to_uint8(sampler(run.game)(run.state, drawn))
    return LabeledImages(images, np.asarray(drawn["y"]), tuple(run.manifest.data["classes"]))


def training_sets(real: LabeledImages, generated: LabeledImages) -> dict[str, LabeledImages]:
    """What the classifier is trained on in each of `WAYS`: as many images in each, so that a pass is as many steps.

    Real and generated images are repeated, all equally often up to one, to fill the set or their half of it.
    """
    n = 2 * max(len(real.images), len(generated.images), BATCH)
    halves = _repeated(real, n // 2), _repeated(generated, n // 2)
    both = LabeledImages(*map(np.concatenate, zip(*(half[:2] for half in halves), strict=True)), real.classes)
    return dict(zip(WAYS, (_repeated(real, n), both, _repeated(generated, n)), strict=True))


def accuracies(
    real: LabeledImages, generated: LabeledImages, test: LabeledImages, key: Key[Array, ""], steps: int
) -> dict[str, float]:
    """The accuracy on `test`, 0 to 1, of a classifier trained in each of `WAYS`, from the same start.

    Args:
        real: the images that the game was trained on.
        generated: its samples.
        test: real images that nothing was trained on.
        key: draws the classifier's start and its training.
        steps: of every training, rounded up to whole passes over its set, which are the same for all.

    Raises:
        BadInput: classes or sizes of images differ.
    """
    for name, others in (("generated", generated), ("test", test)):
        if (others.classes, others.images.shape[1:]) != (real.classes, real.images.shape[1:]):
            raise BadInput(
                f"{name} images are {_told(others)}, and those that the game was trained on {_told(real)}: "
                "test on images of the same kind"
            )
    found = {}
    for way, shown in training_sets(real, generated).items():
        passes = -(-steps // (len(shown.images) // BATCH))
        params = train_classifier(shown.images, shown.labels, len(real.classes), key, passes)
        found[way] = accuracy(params, test.images, test.labels)
    return found


def results(run: RestoredRun, data: str, found: Mapping[str, float]) -> Results:
    """A run's accuracies as `judge.table` takes them, in percent, with what generated images added to real ones.

    Args:
        run: the run.
        data: the name of what it was trained on.
        found: its `accuracies`.
    """
    about = {
        "name": f"{run.manifest.name} on {data}",
        "settings": run.manifest.settings,
        "images": run.images,
        "digest": digest(run.state),
    }
    percent = {way: 100 * share for way, share in found.items()}
    return Results(about, {"accuracy": {**percent, "gain": percent["real + generated"] - percent["real"]}})


def _repeated(shown: LabeledImages, n: int) -> LabeledImages:
    """`n` images, each of those there are as often as the others, up to one."""
    order = np.random.RandomState(0).permutation(len(shown.images))  # or the last pass would be the first classes
    rows = np.resize(order, n)
    return LabeledImages(shown.images[rows], shown.labels[rows], shown.classes)


def _told(shown: LabeledImages) -> str:
    return (
        f"{'x'.join(map(str, shown.images.shape[1:]))} of {len(shown.classes)} classes {', '.join(shown.classes[:3])}"
    )


def main(
    runs: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN ...")],
    samples: PositiveInt = 10_000,
    steps: PositiveInt = 2000,
    test: str = "mnist",
    data_dir: Path | None = None,
) -> None:
    """Prints the table.

    Args:
        runs: Folders of runs of conditional games.
        samples: Drawn from every run, as many of each class.
        steps: Of every training of the classifier, 128 images each, rounded up to whole passes.
        test: The data set that the classifier is tested on, by its test split.
        data_dir: Folder with the original archives of that data set, instead of a download.
    """
    held_out, found = read_all(open_source(test, data_dir, split="test")), []
    for folder in runs:
        start = time.monotonic()
        run = restore(folder)
        common = run.experiment.common
        source = open_source(common.data, common.data_dir, size=common.image_size)
        shares = accuracies(
            read_all(source), labeled_samples(run, samples), held_out, jax.random.key(common.seed), steps
        )
        found.append(results(run, source.name, shares))
        told = ", ".join(f"{way} {share:.4f}" for way, share in shares.items())
        print(f"{folder}: {told}; {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    print(tables.markdown(tables.rows(found)))
    print(
        f"Accuracy on the {len(held_out.images):,} test images of {test} in percent, mean ± standard deviation over "
        f"runs, of a classifier trained for {steps:,} steps, rounded up to whole passes; {samples:,} samples of each "
        "run. gain: real + generated less real, run by run."
    )


if __name__ == "__main__":
    tyro.cli(main)
