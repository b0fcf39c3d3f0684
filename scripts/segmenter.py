"""Trains a segmenter of photographs, and scores translated label maps by what it sees in them.

    python scripts/segmenter.py train facades.tar.gz --out segmenter.npz
    gan-jax sample runs/pix2pix-0 --inputs facades.tar.gz/test/label --out translated/
    python scripts/segmenter.py score segmenter.npz facades.tar.gz/test/label facades.tar.gz/test/photo translated/

The score of real photographs is the ceiling. Floors are the most frequent class, and label maps painted in the mean
color of every class: a segmenter that scores these like photographs sees outlines, and cannot tell whether translations
look real. Isola et al. 2017 score translations of label maps in this way, with a network trained elsewhere
(https://arxiv.org/abs/1611.07004, sec. 4.1). Scores through different weights cannot be compared: state the sha256 that
`train` prints.

    network     the U-Net of `nets.unet`, 5 levels, 16 maps; a 1 x 1 convolution to the classes
    training    cross entropy of every pixel; Adam, 1e-3 falling to 0 along a cosine; batches of 4, mirrored, key 0
"""

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Annotated

import jax
import numpy as np
import optax
import tyro
from flax import linen as nn
from flax.traverse_util import flatten_dict, unflatten_dict
from jax import lax
from jaxtyping import Array, Float, PyTree, UInt8

from gan_jax import init, make_step
from gan_jax.config.flags import PositiveInt
from gan_jax.data import Source, derived, device_resident, open_source
from gan_jax.data.modality import LABEL_MAP, scale
from gan_jax.engine.game import Keys
from gan_jax.errors import BadInput
from gan_jax.evaluation.image_sets import ImageSet, check_pairs, open_image_set
from gan_jax.games import paired
from gan_jax.metrics.segmentation import LabelMaps, SegmentationScores, segmentation_scores
from gan_jax.nets import unet
from gan_jax.nets.layers.convolution import Conv
from gan_jax.runs.files import save_npz

SEED = 0
BATCH = 4
LEARNING_RATE = 1e-3
COLORS = "mean colors"
"""The name of an array in the file of the weights."""

Params = PyTree[Array]


class Segmenter(nn.Module):
    """Images `[B, H, W, C]` to logits `[B, H, W, classes]`."""

    classes: int

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"], keys: Keys | None = None) -> Float[Array, "B H W classes"]:
        """Computes logits; `keys` draw the dropout."""
        return Conv(self.classes, 1)(unet.Generator(channels=32, levels=5, width=16)(x, keys))


def cross_entropy(y: Float[Array, "B H W K"], logits: Float[Array, "B H W K"]) -> Float[Array, " B"]:
    """Computes the mean over pixels of -log softmax(logits) at the label."""
    return optax.softmax_cross_entropy(logits, y).mean((1, 2))


def train_segmenter(source: Source, epochs: int) -> Params:
    """Trains a segmenter on photographs `a` and one-hot label maps `x`, and returns the average of its parameters."""
    steps = source.size // BATCH
    adam = optax.adam(optax.cosine_decay_schedule(LEARNING_RATE, epochs * steps))
    game = paired.regression(Segmenter(source.shape[-1]), adam, distance=cross_entropy, ema=0.99)
    pipeline = device_resident(derived.flip(source), SEED, 1, BATCH)
    step = make_step(game)

    @jax.jit
    def play(state, arrays, inputs):
        return lax.scan(lambda state, drawn: step(state, pipeline.load(arrays, drawn)), state, inputs)[0]

    spec = {name: leaf.abstract(1, BATCH) for name, leaf in source.spec.items()}
    state = init(game, jax.random.key(SEED), spec)
    for inputs in pipeline.stream(range(i * steps, (i + 1) * steps) for i in range(epochs)):
        state = play(state, pipeline.arrays, inputs)
    return state.players["g"].ema["params"]


@jax.jit
def segment(params: Params, photos: UInt8[Array, "B H W C"]) -> Array:
    """Predicts the class of every pixel, without dropout: `[B, H, W]`."""
    return Segmenter(params["Conv_0"]["bias"].size).apply({"params": params}, scale(photos)).argmax(-1)


def accuracy(params: Params, source: Source) -> SegmentationScores:
    """Scores a segmenter on photographs `a` and their label maps `x`."""
    found = [source.read(np.array([i])) for i in range(source.size)]
    predicted = np.concatenate([segment(params, each["a"]) for each in found])
    return segmentation_scores(predicted, np.concatenate([each["x"] for each in found]), source.shape[-1])


def mean_colors(source: Source) -> UInt8[np.ndarray, "K C"]:
    """Computes the mean color in photographs `a` of every class of label maps `x`; black where it has no pixels."""
    found = source.read(np.arange(source.size))
    masks = [found["x"] == label for label in range(source.shape[-1])]
    return (
        np.stack([found["a"][mask].mean(0) if mask.any() else np.zeros(3) for mask in masks]).round().astype(np.uint8)
    )


def train(
    data: Annotated[str, tyro.conf.Positional], out: Path, pair: str = "photo,label", epochs: PositiveInt = 24
) -> None:
    """Writes the weights of a segmenter, and prints their sha256 and scores.

    Args:
        data: Folder or archive of pairs, with the splits train and test.
        out: The file to write, .npz.
        pair: Folders of photographs and of label maps.
        epochs: Passes over the training pairs.
    """
    sources = [open_source(data, split=split, pair=pair) for split in ("train", "test")]
    if sources[0].spec["x"].modality.name != LABEL_MAP:
        raise BadInput(f"{data} has no label maps in {pair}: give --pair PHOTOS,LABELS")
    params = train_segmenter(sources[0], epochs)
    arrays = {name: np.asarray(array) for name, array in flatten_dict(params, sep="/").items()}
    save_npz(out, arrays | {COLORS: mean_colors(sources[0])})
    for source in sources:
        print(f"{source.split}: {', '.join(f'{k} {v:.3f}' for k, v in accuracy(params, source)._asdict().items())}")
    print(f"sha256 {hashlib.sha256(out.read_bytes()).hexdigest()}")


def score(
    weights: Annotated[Path, tyro.conf.Positional],
    labels: Annotated[Path, tyro.conf.Positional],
    images: Annotated[tuple[Path, ...], tyro.conf.Positional],
) -> None:
    """Prints a table of the scores of images against the label maps of their names.

    Args:
        weights: File that `train` wrote.
        labels: Folder of label maps; it may lie in an archive, as in `facades.tar.gz/test/label`.
        images: Folders of images made of them, and of the real photographs.
    """
    with np.load(weights) as file:
        colors, params = file[COLORS], unflatten_dict({n: file[n] for n in file.files if n != COLORS}, sep="/")
    classes = params["Conv_0"]["bias"].size
    with TemporaryDirectory() as scratch:
        target = _opened(labels, scratch)
        maps = np.stack([target.label_map(name, classes) for name in target.images])
        print("|  | images | pixel accuracy | class accuracy | mean IoU |\n| --- | --- | --- | --- | --- |")
        _print_row("most frequent class", np.full_like(maps, np.bincount(maps.ravel()).argmax()), maps, classes)
        painted = np.stack([segment(params, colors[labels][None])[0] for labels in maps])
        _print_row("mean color of every class", painted, maps, classes)
        for folder in images:
            made = _opened(folder, scratch)
            check_pairs(made, target)
            predicted = [segment(params, made.images[name].read("RGB")[None])[0] for name in target.images]
            _print_row(str(folder), np.stack(predicted), maps, classes)


def _opened(folder: Path, scratch: str) -> ImageSet:
    return open_image_set(folder, Path(mkdtemp(dir=scratch)))


def _print_row(name: str, predicted: LabelMaps, target: LabelMaps, classes: int) -> None:
    scores = segmentation_scores(predicted, target, classes)
    print(f"| {name} | {len(target)} | {' | '.join(f'{value:.3f}' for value in scores)} |", flush=True)


if __name__ == "__main__":
    tyro.extras.subcommand_cli_from_dict({"train": train, "score": score})
