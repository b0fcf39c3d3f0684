"""What generated images are worth to a classifier: trained on real images, on generated ones, and on both.

The classifier is that of `gan_jax.evaluate.classifier`, which shifts what it is trained on by up to two pixels: what
generated images add, they add to that. On both it sees as many real images as generated ones. Of the plain union the
real images' share would be whatever the number of samples leaves them.

Ravuri and Vinyals 2019, "Classification accuracy score for conditional generative models", call the accuracy of
training on generated images the classification accuracy score, and that of training on both the naive augmentation
score.
"""

from collections.abc import Mapping
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Array, Key

from gan_jax import pictures
from gan_jax.chosen import latents
from gan_jax.digest import digest
from gan_jax.errors import BadInput
from gan_jax.evaluate.classifier import BATCH, accuracy, train_classifier
from gan_jax.judge.evidence import Labelled
from gan_jax.judge.results import Results
from gan_jax.sample import sampler
from gan_jax.trained import Trained

WAYS = ("real", "real + generated", "generated")
"""What a classifier is trained on."""


def labelled_samples(run: Trained, n: int) -> Labelled:
    """`n` samples of a conditional game, its classes in turn: those that `gan-jax sample` draws by default.

    Raises:
        BadInput: the game is asked for no labels.
    """
    if "y" not in run.game.codes:
        raise BadInput(f"{run.manifest.experiment} makes no labelled images: give runs of a conditional game")
    classes = range(run.game.codes["y"].classes)
    drawn = latents(run.game, jax.random.key(run.experiment.common.seed), n, {"y": classes})
    with jax.default_matmul_precision("highest"):  # what a GPU rounds to be fast would depend on the machine
        images = pictures.to_uint8(sampler(run.game)(run.state, drawn))
    return Labelled(images, np.asarray(drawn["y"]), tuple(run.manifest.data["classes"]))


def training_sets(real: Labelled, generated: Labelled) -> dict[str, Labelled]:
    """What the classifier is trained on in each of `WAYS`: as many images in each, so that a pass is as many steps.

    Real and generated images are repeated, all equally often up to one, to fill the set or their half of it.
    """
    n = 2 * max(len(real.images), len(generated.images), BATCH)
    halves = _repeated(real, n // 2), _repeated(generated, n // 2)
    both = Labelled(*map(np.concatenate, zip(*(half[:2] for half in halves), strict=True)), real.classes)
    return dict(zip(WAYS, (_repeated(real, n), both, _repeated(generated, n)), strict=True))


def accuracies(
    real: Labelled, generated: Labelled, test: Labelled, key: Key[Array, ""], steps: int
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


def results(run: Trained, data: str, found: Mapping[str, float]) -> Results:
    """A run's accuracies as `judge.table` takes them, in percent, with what generated images added to real ones.

    Args:
        run: the run.
        data: the name of what it was trained on.
        found: its `accuracies`.
    """
    about = {
        "name": f"{Path(run.manifest.experiment).stem} on {data}",
        "settings": run.manifest.settings,
        "images": run.images,
        "digest": digest(run.state),
    }
    percent = {way: 100 * share for way, share in found.items()}
    return Results(about, {"accuracy": {**percent, "gain": percent["real + generated"] - percent["real"]}})


def _repeated(shown: Labelled, n: int) -> Labelled:
    """`n` images, each of those there are as often as the others, up to one."""
    order = np.random.RandomState(0).permutation(len(shown.images))  # or the last pass would be the first classes
    rows = np.resize(order, n)
    return Labelled(shown.images[rows], shown.labels[rows], shown.classes)


def _told(shown: Labelled) -> str:
    return (
        f"{'x'.join(map(str, shown.images.shape[1:]))} of {len(shown.classes)} classes {', '.join(shown.classes[:3])}"
    )
