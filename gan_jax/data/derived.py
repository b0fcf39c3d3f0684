"""Sources derived from others: every batch is a pure function of the decoded examples and their keys.

The input of a translation is `a`, its target the example `x`. Random parts come from the key of each example, which
differs between epochs. Inputs are made of the examples as they are decoded: crop first, then derive.
"""

import math
from collections.abc import Callable
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Key

from gan_jax.data.modality import IMAGE, LABEL_MAP, MASKED, Leaf, Shape, Spec
from gan_jax.data.source import Source
from gan_jax.data.sources.unpaired import merge
from gan_jax.engine.game import Batch, Keys
from gan_jax.engine.keys import split, uniform
from gan_jax.errors import BadInput

Image = Float[Array, "_ _ _"]
"""`[H, W, C]`."""
OneKey = Key[Array, ""]

LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (ITU-R BT.601), those of Pillow's gray images."""

PIXELS = {IMAGE.name, LABEL_MAP, MASKED.name}
"""Kinds whose first two axes are the height and width of an image."""

GRID = (4, 8)
"""Sides of the grids of random colors that make a ground."""


def derive(source: Source, spec: Spec, transform: Callable[[Batch, Keys], Batch]) -> Source:
    """Derives a source with the arrays `spec`: its batches are `transform(batch, keys [B])` of those of `source`.

    `transform` is pure and gets keys of its own, so what it draws is independent of the draws of `source`.

    Raises:
        ValueError: the source has parts: derive each of them.
    """
    if source.parts:
        raise ValueError(f"{source.name} has parts: derive from each of them")

    def decode(examples: dict[str, Array], keys: Keys) -> Batch:
        inner, outer = split(keys, 2)
        return transform(source.decode(examples, inner), outer)

    return source._replace(spec=spec, decode=decode)


def low_resolution(source: Source, factor: int) -> Source:
    """Adds `a`, the image reduced by a whole factor with Pillow's BICUBIC, antialiased and rounded to 8 bits."""
    height, width, channels = image_shape(source)
    if height % factor or width % factor:
        raise BadInput(f"{source.name} has images of {width}x{height}, not divisible by {factor}: crop or resize them")

    def reduce(x: Image) -> Image:
        pixels = (x + 1) * 127.5
        for shape in ((height, width // factor, channels), (height // factor, width // factor, channels)):
            # Pillow rounds and clips after each of its two passes.
            pixels = jax.image.resize(pixels, shape, "cubic", precision=lax.Precision.HIGHEST)
            pixels = jnp.clip(jnp.round(pixels), 0, 255)
        return pixels / 127.5 - 1

    return _with_input(source, Leaf((height // factor, width // factor, channels), IMAGE), lambda x, key: reduce(x))


def noise(source: Source, sigma: float) -> Source:
    """Adds `a`, the image plus Gaussian noise of standard deviation `sigma` in units of 8-bit images; not clipped."""

    def add(x: Image, key: OneKey) -> Image:
        return x + sigma / 127.5 * jax.random.normal(key, x.shape, x.dtype)

    return _with_input(source, Leaf(image_shape(source), IMAGE), add)


def hole(source: Source, where: Literal["center", "random"] = "center") -> Source:
    """Adds `a`, the image with a square hole of half its side, and the mask (1 in the hole) as a further channel.

    The hole has the mean color of what is left of the image. A random one lies anywhere inside the image.

    Pathak et al. 2016, "Context encoders: feature learning by inpainting", https://arxiv.org/abs/1604.07379.
    """
    height, width, channels = image_shape(source)
    side = (height // 2, width // 2)

    def cut(x: Image, key: OneKey) -> Image:
        room = jnp.array([height - side[0], width - side[1]])
        start = room // 2 if where == "center" else jax.random.randint(key, (2,), 0, room + 1)
        mask = _span(height, start[0], side[0])[:, None, None] * _span(width, start[1], side[1])[None, :, None]
        mean = ((1 - mask) * x).sum((0, 1), keepdims=True) / (1 - mask).sum()
        return jnp.concatenate([(1 - mask) * x + mask * mean, mask], axis=-1)

    return _with_input(source, Leaf((height, width, channels + 1), MASKED), cut)


def blur(source: Source, sigma: float) -> Source:
    """Adds `a`, the image blurred by a Gaussian of standard deviation `sigma` in pixels; edges are repeated."""
    radius = math.ceil(3 * sigma)
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel = jnp.asarray(taps / taps.sum(), jnp.float32)

    def blurred(x: Image) -> Image:
        return _filter(_filter(x, kernel, 0), kernel, 1)

    return _with_input(source, Leaf(image_shape(source), IMAGE), lambda x, key: blurred(x))


def grayscale(source: Source) -> Source:
    """Adds `a`, the gray image `[H, W, 1]` of a color image: the input of colorization."""
    height, width, channels = image_shape(source)
    if channels != 3:
        raise BadInput(f"{source.name} has {_describe(source)}: colorization needs color images")
    return _with_input(source, Leaf((height, width, 1), IMAGE), lambda x, key: _luminance(x))


def edges(source: Source, threshold: float = 0.5) -> Source:
    """Adds `a` `[H, W, 1]`: 1 where the Sobel gradient of the luminance is longer than `threshold`, else -1.

    Beside a straight step from black to white, in images with values in [-1, 1], the gradient has length 1.
    """
    height, width, _ = image_shape(source)
    smooth, difference = jnp.array([0.25, 0.5, 0.25], jnp.float32), jnp.array([-0.5, 0.0, 0.5], jnp.float32)

    def outlined(x: Image) -> Image:
        gray = _luminance(x)
        down, right = (_filter(_filter(gray, difference, axis), smooth, 1 - axis) for axis in (0, 1))
        return jnp.where(jnp.hypot(down, right) > threshold, jnp.float32(1), jnp.float32(-1))

    return _with_input(source, Leaf((height, width, 1), IMAGE), lambda x, key: outlined(x))


def first_frames(source: Source, count: int) -> Source:
    """Adds `a`, the first `count` frames of every video `x`, of which the others are predicted."""
    leaf = source.spec.get("x")
    if leaf is None or leaf.modality.frame is None:
        raise BadInput(f"{source.name} has {_describe(source)}: this needs videos x")
    if leaf.shape[0] <= count:
        raise BadInput(f"{source.name} has {_describe(source)}: there is nothing to predict after {count}, give fewer")
    spec = {"a": Leaf((count, *leaf.shape[1:]), leaf.modality), **source.spec}
    return derive(source, spec, lambda batch, keys: {"a": batch["x"][:, :count], **batch})


def on_ground(source: Source) -> Source:
    """Replaces `x` by the image on a ground of smooth random color: |x - ground|, both in [0, 1], as in MNIST-M.

    Ganin et al. 2016, "Domain-adversarial training of neural networks", sec. 5.2.4 (https://arxiv.org/abs/1505.07818),
    take the grounds from photographs.
    """
    height, width, _ = image_shape(source)

    def ground(key: OneKey) -> Image:
        octaves = [
            jax.image.resize(jax.random.uniform(each, (side, side, 3), jnp.float32), (height, width, 3), "cubic")
            for each, side in zip(jax.random.split(key, len(GRID)), GRID, strict=True)
        ]
        return jnp.clip(sum(octaves) / len(GRID), 0, 1)

    def replace(batch: Batch, keys: Keys) -> Batch:
        shown = jnp.abs((batch["x"] + 1) / 2 - jax.vmap(ground)(keys))
        return {**batch, "x": 2 * shown - 1}

    return derive(source, {**source.spec, "x": Leaf((height, width, 3), IMAGE)}, replace)


def random_crop(source: Source, size: int) -> Source:
    """Cuts a random square of `size` pixels out of every image of an example, at the same place.

    Where images differ in size by a whole factor, `size` is that of the largest and a multiple of the factor; the
    place is drawn in pixels of the smallest, so that low and high resolution stay aligned. Unpaired images are cut
    each at a place of its own.

    Raises:
        BadInput: the images are smaller than `size`, or it does not fit the factor.
    """
    if source.parts:
        return merge(tuple(random_crop(part, size) for part in source.parts))._replace(**_about(source))
    shapes = {name: leaf.shape for name, leaf in source.spec.items() if leaf.modality.name in PIXELS}
    (height, width), largest = (f(shape[:2] for shape in shapes.values()) for f in (min, max))
    factor = largest[0] // height
    if any((shape[0] % height, shape[1]) != (0, shape[0] // height * width) for shape in shapes.values()):
        raise BadInput(
            f"{source.name} has {_describe(source)}: crops need one size, or whole multiples of the smallest"
        )
    if size > min(largest) or size % factor:
        what = f"{source.name} has images of {largest[1]}x{largest[0]}"
        raise BadInput(f"{what}: choose a crop of at most that, and a multiple of {factor}, not {size}")
    room = jnp.array([height, width]) - size // factor

    def cut(images: dict[str, Image], key: OneKey) -> dict[str, Image]:
        place = jax.random.randint(key, (2,), 0, room + 1)

        def one(name: str) -> Image:
            times = shapes[name][0] // height
            start, side = place * times, size // factor * times
            return lax.dynamic_slice(images[name], (start[0], start[1], 0), (side, side, shapes[name][-1]))

        return {name: one(name) for name in images}

    spec = {
        name: leaf._replace(shape=2 * (size // factor * (leaf.shape[0] // height),) + leaf.shape[2:])
        if name in shapes
        else leaf
        for name, leaf in source.spec.items()
    }
    return derive(source, spec, lambda batch, keys: batch | jax.vmap(cut)({name: batch[name] for name in shapes}, keys))


def flip(source: Source) -> Source:
    """Mirrors every second example at random, left to right, all its images alike; unpaired images independently."""
    if source.parts:
        return merge(tuple(flip(part) for part in source.parts))._replace(**_about(source))
    names = [name for name, leaf in source.spec.items() if leaf.modality.name in PIXELS]

    def mirror(batch: Batch, keys: Keys) -> Batch:
        mirrored = (uniform(keys) < 0.5)[:, None, None, None]
        return batch | {name: jnp.where(mirrored, batch[name][:, :, ::-1], batch[name]) for name in names}

    return derive(source, source.spec, mirror)


def resized(source: Source, size: int) -> Source:
    """Crops images `x` to their central square and resizes it to `size` pixels a side: bilinear, antialiased."""
    height, width, channels = image_shape(source)
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2

    def resize(batch: Batch, keys: Keys) -> Batch:
        square = batch["x"][:, top : top + side, left : left + side]
        shape = (len(square), size, size, channels)
        return batch | {"x": jax.image.resize(square, shape, "linear", precision=lax.Precision.HIGHEST)}

    return derive(source, {**source.spec, "x": Leaf((size, size, channels), IMAGE)}, resize)


def in_color(source: Source) -> Source:
    """Repeats the channel of gray images `x` as red, green and blue."""
    height, width, _ = image_shape(source)

    def repeat(batch: Batch, keys: Keys) -> Batch:
        return batch | {"x": jnp.broadcast_to(batch["x"], (*batch["x"].shape[:3], 3))}

    return derive(source, {**source.spec, "x": Leaf((height, width, 3), IMAGE)}, repeat)


def _with_input(source: Source, leaf: Leaf, make: Callable[[Image, OneKey], Image]) -> Source:
    """Adds the input `a = make(x, key)`, of the shape and kind of `leaf`."""
    spec = {"a": leaf, **source.spec}
    return derive(source, spec, lambda batch, keys: {"a": jax.vmap(make)(batch["x"], keys), **batch})


def image_shape(source: Source) -> Shape:
    """Returns the shape of the images `x`. Raises `BadInput` if there are none."""
    leaf = source.spec.get("x")
    if leaf is None or leaf.modality.name != IMAGE.name:
        raise BadInput(f"{source.name} has {_describe(source)}: this needs images x")
    return leaf.shape


def _describe(source: Source) -> str:
    return " and ".join(f"{name} ({leaf.modality.describe(leaf.shape)})" for name, leaf in source.spec.items())


def _about(source: Source) -> dict[str, object]:
    return {name: getattr(source, name) for name in ("name", "classes", "report", "split")}


def _luminance(x: Image) -> Image:
    return x if x.shape[-1] == 1 else (x * jnp.array(LUMINANCE, jnp.float32)[None, None]).sum(-1, keepdims=True)


def _span(length: int, start: Array, size: int) -> Float[Array, " length"]:
    """Returns 1 at `size` places from `start`, else 0."""
    at = jnp.arange(length)
    return ((at >= start) & (at < start + size)).astype(jnp.float32)


def _filter(x: Image, kernel: Float[Array, " K"], axis: int) -> Image:
    """Correlates an image with a kernel of odd length along one axis; edges are repeated."""
    radius, length = len(kernel) // 2, x.shape[axis]
    pad = [(radius, radius) if each == axis else (0, 0) for each in range(x.ndim)]
    padded = jnp.pad(x, pad, mode="edge")
    return sum(kernel[i] * lax.slice_in_dim(padded, i, i + length, axis=axis) for i in range(len(kernel)))
