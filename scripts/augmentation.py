"""Measures how labeled samples of a conditional GAN change the test accuracy of a classifier, over seeds.

    gan-jax train projection --data mnist5k:500 --seed 0 --run-dir runs/few-0      # and seeds 1, 2
    python scripts/augmentation.py runs/few-0 runs/few-1 runs/few-2

For every run the classifier is trained three times with the same number of steps: on the run's training images, on an
equal mixture of these and samples, and on samples alone. Prints the accuracies of each run, and a Markdown table with
one row for all runs that differ only in their seed.

The classifier, `gan_jax.metrics.features.classifier`, is trained with random shifts of up to two pixels, so a gain from
generated images is beyond that augmentation. The mixture is equal, because in the plain union the share of real images
would depend on the number of samples.

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
from gan_jax.data.modality import to_uint8
from gan_jax.errors import BadInput
from gan_jax.evaluation import tables
from gan_jax.evaluation.inputs import LabeledExamples, read_all
from gan_jax.evaluation.protocol import Results
from gan_jax.metrics.features.classifier import BATCH, accuracy, train_classifier
from gan_jax.runs.digest import digest
from gan_jax.sampling.latents import draw_latents
from gan_jax.sampling.sampler import sampler
from gan_jax.training.restore import RestoredRun, restore

WAYS = ("real", "real + generated", "generated")
"""Training sets of the classifier."""


def labeled_samples(run: RestoredRun, n: int) -> LabeledExamples:
    """Draws `n` samples of a conditional game, class after class, as `gan-jax sample` does by default.

    Raises:
        BadInput: the game has no labels.
    """
    if "y" not in run.game.codes:
        raise BadInput(f"{run.manifest.name} makes no labeled images: give runs of a conditional game")
    classes = range(run.game.codes["y"].classes)
    drawn = draw_latents(run.game, jax.random.key(run.experiment.common.seed), n, {"y": classes})
    with jax.default_matmul_precision("highest"):  # fast matmuls on a GPU would depend on the machine
        images = to_uint8(sampler(run.game)(run.state, drawn))
    return LabeledExamples(images, np.asarray(drawn["y"]), tuple(run.manifest.data["classes"]))


def training_sets(real: LabeledExamples, generated: LabeledExamples) -> dict[str, LabeledExamples]:
    """Builds the training set of each of `WAYS`, all of the same size, so that a pass has the same number of steps.

    Images are repeated to fill the set or their half of it; repetitions differ by at most one.
    """
    n = 2 * max(len(real.examples), len(generated.examples), BATCH)
    halves = _repeated(real, n // 2), _repeated(generated, n // 2)
    both = LabeledExamples(*map(np.concatenate, zip(*(half[:2] for half in halves), strict=True)), real.classes)
    return dict(zip(WAYS, (_repeated(real, n), both, _repeated(generated, n)), strict=True))


def accuracies(
    real: LabeledExamples, generated: LabeledExamples, test: LabeledExamples, key: Key[Array, ""], steps: int
) -> dict[str, float]:
    """Computes the accuracy on `test`, 0 to 1, of a classifier trained in each of `WAYS` from the same initialization.

    Args:
        real: the images that the game was trained on.
        generated: its samples.
        test: held-out real images.
        key: key of the initialization and of the training.
        steps: steps of every training, rounded up to whole passes over its set.

    Raises:
        BadInput: classes or sizes of images differ.
    """
    for name, others in (("generated", generated), ("test", test)):
        if (others.classes, others.examples.shape[1:]) != (real.classes, real.examples.shape[1:]):
            raise BadInput(
                f"{name} images are {_described(others)}, but the game was trained on {_described(real)}: "
                "test on images of the same kind"
            )
    found = {}
    for way, shown in training_sets(real, generated).items():
        passes = -(-steps // (len(shown.examples) // BATCH))
        params = train_classifier(shown.examples, shown.labels, len(real.classes), key, passes)
        found[way] = accuracy(params, test.examples, test.labels)
    return found


def results(run: RestoredRun, data: str, found: Mapping[str, float]) -> Results:
    """Converts a run's accuracies to percent, adds the gain from generated images, and wraps them for `tables.rows`.

    Args:
        run: the run.
        data: the name of its training data.
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


def _repeated(shown: LabeledExamples, n: int) -> LabeledExamples:
    """Repeats images up to `n`; repetitions differ by at most one."""
    order = np.random.RandomState(0).permutation(
        len(shown.examples)
    )  # otherwise the last pass would have the first classes only
    rows = np.resize(order, n)
    return LabeledExamples(shown.examples[rows], shown.labels[rows], shown.classes)


def _described(shown: LabeledExamples) -> str:
    return (
        f"{'x'.join(map(str, shown.examples.shape[1:]))} of {len(shown.classes)} classes {', '.join(shown.classes[:3])}"
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
        samples: Number of samples of every run, the same for each class.
        steps: Steps of every training of the classifier, with 128 images each, rounded up to whole passes.
        test: Data set whose test split the classifier is tested on.
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
        shown = ", ".join(f"{way} {share:.4f}" for way, share in shares.items())
        print(f"{folder}: {shown}; {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    print(tables.markdown(tables.rows(found)))
    print(
        f"Accuracy on the {len(held_out.examples):,} test images of {test} in percent, mean ± standard deviation over "
        f"runs, of a classifier trained for {steps:,} steps, rounded up to whole passes; {samples:,} samples of each "
        "run. gain: real + generated minus real, run by run."
    )


if __name__ == "__main__":
    tyro.cli(main)
