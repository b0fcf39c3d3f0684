"""Classification accuracy score (CAS): the accuracy on real images of a classifier trained on generated images.

The score falls if samples do not match their labels, or if classes lack variety. Report beside it the accuracy of the
same classifier trained on real images, the highest score to expect.

Ravuri and Vinyals 2019, "Classification accuracy score for conditional generative models",
https://arxiv.org/abs/1905.10887, train a ResNet-50 on ImageNet; here it is the small `features.classifier.Classifier`.
"""

import numpy as np
from jaxtyping import Array, Key

from gan_jax.errors import BadInput
from gan_jax.metrics.features.classifier import BATCH, accuracy, train_classifier

LEAST_STEPS = 200
"""Minimum number of training steps, so that the classifier converges on a few hundred images too."""


def classifier_accuracy(
    images: np.ndarray,
    labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
    key: Key[Array, ""],
    epochs: int = 12,
) -> float:
    """Computes the accuracy, 0 to 1, on real images of a classifier trained on generated images.

    Args:
        images: generated images, `[N, H, W, C]` uint8, as many as there are real training images.
        labels: `[N]` integers, the classes that the images were generated for.
        test_images: held-out real images, `[M, H, W, C]` uint8.
        test_labels: `[M]` integers.
        key: determines the initial parameters and the training of the classifier.
        epochs: passes over the generated images, increased if they make fewer than `LEAST_STEPS` steps.

    Raises:
        BadInput: images are not uint8 or differ in shape, there are fewer than 128 generated images, labels are not one
            non-negative integer per image, or a class of the test labels has no generated images.
    """
    _check("generated", images, labels)
    _check("real", test_images, test_labels)
    if images.shape[1:] != test_images.shape[1:]:
        sizes = f"{list(images.shape[1:])}, real ones {list(test_images.shape[1:])}"
        raise BadInput(f"generated images are {sizes}: convert them to the same size and channels")
    missing = sorted(set(test_labels.tolist()) - set(labels.tolist()))
    if missing:
        few = ", ".join(map(str, missing[:10]))
        raise BadInput(f"{len(missing)} classes were not generated ({few}): draw samples of every class")
    epochs = max(epochs, -(-LEAST_STEPS // max(1, len(images) // BATCH)))
    params = train_classifier(images, labels, int(labels.max()) + 1, key, epochs)
    return accuracy(params, test_images, test_labels)


def _check(name: str, images: np.ndarray, labels: np.ndarray) -> None:
    """Validates one set. Raises `BadInput` unless images are uint8 with one non-negative integer label each."""
    if images.dtype != np.uint8 or images.ndim != 4 or not len(images):
        raise BadInput(
            f"{name} images must be uint8 [N, H, W, C], not {images.dtype} {list(images.shape)}: convert them"
        )
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu" or labels.min() < 0:
        what = f"not {labels.dtype} {list(labels.shape)}"
        raise BadInput(
            f"{name} labels must be {len(images)} integers of at least 0, one per image, {what}: give the class indices"
        )
