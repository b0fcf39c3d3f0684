"""Digits on crops of photographs, which makes MNIST-M of MNIST."""

import zlib

import numpy as np
from jaxtyping import Int, UInt8

from gan_jax.data.modality import IMAGE, Leaf
from gan_jax.data.source import Examples, Source, read_rounded, stored
from gan_jax.errors import BadInput


def on_photographs(source: Source, photographs: Source) -> Source:
    """Replaces `x` by its difference from a random crop of a photograph: |x - crop| in 8 bits, in color.

    The crop depends on the split and the index of the example alone, so it is the same in every epoch, as that of a
    stored data set. The photographs are of one size, at least that of the images.

    Raises:
        BadInput: `source` has other arrays than images `x` and labels `y`, or the photographs are smaller.

    Ganin et al. 2016, "Domain-adversarial training of neural networks", sec. 5.2.4 (https://arxiv.org/abs/1505.07818),
    with the photographs of BSDS500.
    """
    if not source.spec.keys() <= {"x", "y"} or source.spec["x"].modality.name != IMAGE.name:
        raise BadInput(f"{source.name} has the arrays {', '.join(source.spec)}: grounds are for images x")
    size, largest = np.array(source.shape[:2]), np.array(photographs.shape[:2])
    if (size > largest).any():
        raise BadInput(
            f"{photographs.name} has photographs of {largest[1]}x{largest[0]}: grounds are as large as images"
        )
    split = zlib.crc32(source.split.encode())

    def crop(index: int) -> UInt8[np.ndarray, "H W C"]:
        random = np.random.default_rng((split, index))
        photograph = photographs.read(random.integers(photographs.size, size=1))["x"][0]
        (top, left), (height, width) = random.integers(largest - size + 1), size
        return photograph[top : top + height, left : left + width]

    def read(indices: Int[np.ndarray, " B"]) -> Examples:
        examples = read_rounded(source, indices)
        grounds = np.stack([crop(int(i)) for i in indices]).astype(np.int16)
        shown = np.abs(examples["x"] - grounds).astype(np.uint8)
        return examples | {"x": np.broadcast_to(shown, (*shown.shape[:3], 3))}

    spec = {**source.spec, "x": Leaf((*source.shape[:2], 3), IMAGE)}
    made = stored(source.name, source.size, spec, read, source.classes)
    return made._replace(report=source.report, split=source.split)
