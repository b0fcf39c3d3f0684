"""Classification accuracy score: can one learn from generated images what real ones show?

A classifier is trained on generated images with the labels that they were generated for, and tested on real ones. The
score falls where samples do not look like their class, and where classes lack variety. Report the score of the real
training images beside it, which is what the classifier itself can reach.

Ravuri and Vinyals 2019, "Classification accuracy score for conditional generative models", who train a ResNet-50 for
ImageNet. Here it is the small network of `gan_jax.metrics.features.classifier`, fit for small images.
"""

import numpy as np
from jaxtyping import Array, Key

from gan_jax.errors import BadInput
from gan_jax.metrics.features.classifier import BATCH, accuracy, train_classifier

LEAST_STEPS = 200
"""Of training: a few hundred images are seen often enough to be learned."""


def classifier_accuracy(
    images: np.ndarray,
    labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
    key: Key[Array, ""],
    epochs: int = 12,
) -> float:
    """The accuracy on real images of a classifier trained on generated ones: 0 to 1.

    Args:
        images: generated, `[N, H, W, C]` uint8, as many as there are real training images.
        labels: `[N]` integers, the classes that they were generated for.
        test_images: real, `[M, H, W, C]` uint8, that nothing was trained on.
        test_labels: `[M]` integers.
        key: draws the classifier's start and its training.
        epochs: passes over the generated images; more, where those make fewer than `LEAST_STEPS` steps.

    Raises:
        BadInput: the images are no 8-bit ones of one size, there are fewer than 128 generated ones, labels are not one
            integer per image from 0, or a class that is tested was not generated.
    """
    _check("generated", images, labels)
    _check("real", test_images, test_labels)
    if images.shape[1:] != test_images.shape[1:]:
        sizes = f"{list(images.shape[1:])}, real ones {list(test_images.shape[1:])}"
        raise BadInput(f"generated images are {sizes}: bring them to the same size and channels")
    missing = sorted(set(test_labels.tolist()) - set(labels.tolist()))
    if missing:
        few = ", ".join(map(str, missing[:10]))
        raise BadInput(f"{len(missing)} classes were not generated ({few}): draw samples of every class")
    epochs = max(epochs, -(-LEAST_STEPS // max(1, len(images) // BATCH)))
    params = train_classifier(images, labels, int(labels.max()) + 1, key, epochs)
    return accuracy(params, test_images, test_labels)


def _check(name: str, images: np.ndarray, labels: np.ndarray) -> None:
    """What the two sets have to be, each for itself."""
    if images.dtype != np.uint8 or images.ndim != 4 or not len(images):
        raise BadInput(
            f"{name} images must be uint8 [N, H, W, C], not {images.dtype} {list(images.shape)}: convert them"
        )
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu" or labels.min() < 0:
        what = f"not {labels.dtype} {list(labels.shape)}"
        raise BadInput(
            f"{name} labels must be {len(images)} integers from 0, one per image, {what}: give their classes"
        )
