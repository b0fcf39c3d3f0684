"""DiffAugment: random transforms of what a discriminator sees, real and fake, which generators learn through.

Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training", https://arxiv.org/abs/2006.10738, with
the strengths of the authors' program. A discriminator that sees few images learns them by heart; moved, recolored and
with a part cut out, they last longer. `games.augmented` puts such functions before a network. All frames of a video
change alike.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from gan_jax.augment.transform import ImagesOrVideos, check_images_or_videos, same_for_frames
from gan_jax.engine.game import Keys
from gan_jax.engine.keys import split, uniform

Images = Float[Array, "B H W C"]
"""In [-1, 1]."""


def color(x: ImagesOrVideos, keys: Keys) -> ImagesOrVideos:
    """Changes brightness, saturation and contrast, in this order; values may leave [-1, 1].

        x + u - 1/2      gray + 2 u (x - gray)      mean + (u + 1/2) (x - mean)

    Each `u` is drawn from [0, 1); `gray` is the mean over channels, `mean` that of the whole example.
    """
    check_images_or_videos(x, "color")
    axes = tuple(range(1, x.ndim))
    shift, saturation, contrast = (jnp.expand_dims(uniform(each), axes) for each in split(keys, 3))
    x = x + shift - 0.5
    gray = x.mean(axis=-1, keepdims=True)
    x = gray + 2 * saturation * (x - gray)
    mean = x.mean(axis=axes, keepdims=True)
    return mean + (contrast + 0.5) * (x - mean)


@same_for_frames
def translation(x: Images, keys: Keys) -> Images:
    """Moves images by up to an eighth of each side, rounded, in whole pixels.

    What comes into view continues the border. The authors' program puts 0 there, which in digits is an edge of gray.
    """
    reach = [round(side / 8) for side in x.shape[1:3]]
    padded = jnp.pad(x, ((0, 0), *((r, r) for r in reach), (0, 0)), mode="edge")
    places = [jnp.int32((2 * r + 1) * uniform(each)) for r, each in zip(reach, split(keys, 2), strict=True)]
    return jax.vmap(lambda image, i, j: jax.lax.dynamic_slice(image, (i, j, 0), x.shape[1:]))(padded, *places)


@same_for_frames
def cutout(x: Images, keys: Keys) -> Images:
    """Sets a rectangle of half of each side to 0; its center is anywhere in the image.

    After DeVries and Taylor 2017, "Improved regularization of convolutional neural networks with cutout",
    https://arxiv.org/abs/1708.04552.
    """
    spans = []
    for side, each in zip(x.shape[1:3], split(keys, 2), strict=True):
        start = jnp.int32(side * uniform(each)) - side // 4
        distance = jnp.arange(side)[None] - start[:, None]
        spans.append((distance >= 0) & (distance < side // 2))
    rows, columns = spans
    return jnp.where((rows[:, :, None] & columns[:, None, :])[..., None], 0.0, x)
