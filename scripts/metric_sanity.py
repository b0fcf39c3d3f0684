"""Scores examples that no GAN generated: held-out ones (the ceiling), few classes, copies, noise (the floor).

    python scripts/metric_sanity.py                                    # digits; downloads MNIST
    python scripts/metric_sanity.py --data-dir DIR                     # with the original archives in DIR instead
    python scripts/metric_sanity.py --data tones                       # sounds; every second one is held out
    python scripts/metric_sanity.py --data audio:fsdd_audio.npz        # spoken digits, of scripts/fsdd.py
    python scripts/metric_sanity.py --data audio:fsdd_audio.npz --features speakers
    python scripts/metric_sanity.py --data moving:mnist --samples 2048 # videos

Every row compares as many examples with the same training examples, as `gan-jax evaluate` does.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import jax
import numpy as np
import tyro
from jaxtyping import Float, Int

from gan_jax.data import Source, open_source
from gan_jax.data.modality import AUDIO, IMAGE, VIDEO
from gan_jax.data.sources.subset import selected
from gan_jax.errors import BadInput
from gan_jax.evaluation import protocol, tables
from gan_jax.evaluation.feature_choice import choose_features
from gan_jax.evaluation.inputs import (
    EvalInputs,
    LabeledExamples,
    Reference,
    compute_features,
    read_examples,
    subset_indices,
)
from gan_jax.evaluation.suite import compute_scores, parse_metrics

SAMPLES = 10_000

Sets = dict[str, LabeledExamples]


def main(data: str = "mnist", features: str = "", data_dir: Path | None = None, samples: int = SAMPLES) -> None:
    """Prints a table in Markdown.

    Args:
        data: Data set of labeled images or sounds, as in gan-jax train.
        features: Feature network, as in gan-jax evaluate; by default the one for the data set.
        data_dir: Folder with the original archives of the data set.
        samples: Number of examples in every row.
    """
    train, test = splits(data, data_dir)
    leaf = train.spec["x"]
    net, reference = choose_features(features, None, leaf, train.name), Reference("train", train, lambda: test)
    real, found = reference.features(net, samples), []
    names, sets = SETS[leaf.modality.name]
    metrics = parse_metrics(names)
    for name, examples in sets(train, test, samples).items():
        common = protocol.make_protocol(net, real, reference, len(examples.examples), leaf, {"files": True})
        scores = compute_scores(metrics, EvalInputs(net, compute_features(net, examples), real, reference))
        protocols = protocol.per_metric(metrics, common, reference, leaf.modality)
        found.append(protocol.stamp({"name": name}, scores, protocols))
    print(tables.markdown(tables.rows(found)))
    print(protocol.describe(common))


def splits(data: str, data_dir: Path | None) -> tuple[Source, Source]:
    """Opens training and held-out examples; of data without a split test, every second example is held out."""
    train = open_source(data, data_dir)
    try:
        return train, open_source(data, data_dir, "test")
    except BadInput:
        rows = np.arange(train.size) // 10 % 2  # in tens, as classes may take turns
        return selected(train, np.flatnonzero(rows == 0)), selected(train, np.flatnonzero(rows))


def others(train: Source, n: int) -> Int[np.ndarray, " m"]:
    """Draws the indices of training examples that are not among the `n` compared, in random order."""
    return np.random.RandomState(1).permutation(np.setdiff1d(np.arange(train.size), subset_indices(train.size, n)))


def image_sets(train: Source, test: Source, n: int) -> Sets:
    """Makes the sets of digits by their descriptions."""
    random = np.random.RandomState(1)
    held_out = read_examples(test, subset_indices(test.size, n)).examples
    n = len(held_out)
    unused, labels, *_ = read_examples(train, others(train, n))
    gray = random.randint(-30, 31, held_out.shape)
    sets = {
        "test digits": held_out,
        "other training digits": unused[:n],
        "the training digits themselves": read_examples(train, subset_indices(train.size, n)).examples,
        "test digits, gray levels moved by up to 30": np.clip(held_out + gray, 0, 255).astype(np.uint8),
        "other training digits, 0 to 4 alone": unused[labels < 5][:n],
        "100 test digits, over and over": np.resize(held_out[:100], held_out.shape),
        "one test digit, over and over": np.repeat(held_out[:1], n, axis=0),
        "noise": random.randint(0, 256, held_out.shape).astype(np.uint8),
    }
    return {name: LabeledExamples(images) for name, images in sets.items()}


def sound_sets(train: Source, test: Source, n: int) -> Sets:
    """Makes the sets of sounds by their descriptions, all of as many as are held out."""
    held_out = read_examples(test, subset_indices(test.size, n))
    x, random = held_out.examples, np.random.RandomState(1)
    same, white = subset_indices(train.size, len(x)), random.standard_normal(x.shape)

    def changed(levels: Float[np.ndarray, "N T"]) -> LabeledExamples:
        return held_out._replace(examples=np.clip(np.rint(levels), -32767, 32767).astype(np.int16))

    return {
        "held-out sounds": held_out,
        "the training sounds themselves": read_examples(train, same),
        "the training sounds, cut at other places": read_examples(decoded_again(train), same),
        "held-out sounds, a quarter as loud": changed(x / 4),
        "held-out sounds in white noise at -40 dB": changed(x + 327 * white),
        "held-out sounds in white noise at -20 dB": changed(x + 3277 * white),
        "held-out sounds of half of the classes": half_of_the_classes(held_out),
        "held-out sounds, played backwards": changed(x[:, ::-1] + 0.0),
        "one held-out sound, over and over": taken(held_out, np.zeros(len(x), int)),
        "white noise": changed(10_000 * white),
        "silence": changed(0 * white),
    }


def video_sets(train: Source, test: Source, n: int) -> Sets:
    """Makes the sets of videos by their descriptions, all of as many as are held out."""
    held_out = read_examples(test, subset_indices(test.size, n))
    x, random = held_out.examples, np.random.RandomState(1)
    same = subset_indices(train.size, len(x))
    order = random.random(x.shape[:2]).argsort(axis=1)[:, :, None, None, None]
    return {
        "held-out videos": held_out,
        "the training videos themselves": read_examples(train, same),
        "the training digits, on other paths": read_examples(decoded_again(train), same),
        "held-out videos, played backwards": held_out._replace(examples=x[:, ::-1]),
        "held-out videos, every second frame": held_out._replace(examples=x[:, ::2].repeat(2, axis=1)),
        "held-out videos, frames shuffled": held_out._replace(examples=np.take_along_axis(x, order, axis=1)),
        "held-out videos, static": held_out._replace(examples=x[:, :1].repeat(x.shape[1], axis=1)),
        "held-out videos, frames of different digits": held_out._replace(
            examples=np.stack([np.roll(x[:, t], 7 * t, axis=0) for t in range(x.shape[1])], axis=1)
        ),
        "held-out videos of half of the classes": half_of_the_classes(held_out),
        "one held-out video, over and over": taken(held_out, np.zeros(len(x), int)),
        "noise": held_out._replace(examples=random.randint(0, 256, x.shape).astype(np.uint8)),
    }


def decoded_again(source: Source) -> Source:
    """Draws other places of sounds, and other paths of digits."""
    again = jax.vmap(jax.random.fold_in, (0, None))
    return source._replace(decode=lambda examples, keys: source.decode(examples, again(keys, 1)))


def taken(labeled: LabeledExamples, rows: Int[np.ndarray, " m"]) -> LabeledExamples:
    """Takes the examples at these indices, with all their labels."""
    further = {name: labels[rows] for name, labels in labeled.others.items()}
    return labeled._replace(examples=labeled.examples[rows], labels=labeled.labels[rows], others=further)


def half_of_the_classes(labeled: LabeledExamples) -> LabeledExamples:
    """Takes examples of the first half of the classes, over and over, as many as there are."""
    rows = np.flatnonzero(labeled.labels < len(labeled.classes) / 2)
    return taken(labeled, np.resize(rows, len(labeled.labels)))


SETS: Mapping[str, tuple[str, Callable[[Source, Source, int], Sets]]] = {
    IMAGE.name: ("fid,kid,is,prdc,modes,ndb,duplicates,memorized", image_sets),
    AUDIO: ("fid,kid,is,prdc,modes,label_accuracy,memorized", sound_sets),
    VIDEO.name: ("fid,frame_fid,motion,identity,is,prdc,modes,label_accuracy", video_sets),
}
"""The metrics and the sets of every kind."""


if __name__ == "__main__":
    tyro.cli(main)
