"""The metrics that `gan-jax evaluate` knows, by their names: what each measures, and its part of the protocol."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

import jax
import numpy as np

from gan_jax import evaluate
from gan_jax.errors import BadInput
from gan_jax.evaluate.classifier_score import classifier_accuracy
from gan_jax.judge.evidence import Evidence

Values = dict[str, float]


class Metric(NamedTuple):
    """A question to the evidence."""

    measure: Callable[[Evidence], Values]
    better: Mapping[str, str]
    """`higher` or `lower` for each of its values that can be ranked; of the others neither is better."""
    settings: Mapping[str, Any] = {}
    """What the numbers depend on, besides the images and the feature network."""


def fid(evidence: Evidence) -> Values:
    """Fréchet distance."""
    return {"fid": evaluate.frechet_distance(evidence.real.features, evidence.fake.features)}


def kid(evidence: Evidence) -> Values:
    """Kernel distance, and its standard error."""
    distance = evaluate.kernel_distance(evidence.real.features, evidence.fake.features)
    return {"kid": distance.value, "kid_error": distance.error}


def intra_fid(evidence: Evidence) -> Values:
    """Fréchet distance within each class, on average."""
    real, fake = evidence.real, evidence.fake
    if real.labels is None or fake.labels is None:
        raise BadInput("intra_fid compares class by class: it needs real labels, and a game that is asked for classes")
    distances = evaluate.intra_frechet_distance(real.features, real.labels, fake.features, fake.labels)
    return {"intra_fid": distances.mean}


SPLITS = 10
"""Of the inception score, as in its paper."""


def inception(evidence: Evidence) -> Values:
    """Inception score, and its spread over splits."""
    _ = evidence.fake.classes
    score = evaluate.inception_score(evidence.fake.probabilities, SPLITS)
    return {"is": score.value, "is_spread": score.error}


NEIGHBOURS = 5
"""Of density and coverage, as in their paper; precision and recall have the same here, as in its code."""


def prdc(evidence: Evidence) -> Values:
    """Precision, recall, density, coverage."""
    return evaluate.prdc(evidence.real.features, evidence.fake.features, NEIGHBOURS)._asdict()


def modes(evidence: Evidence) -> Values:
    """Classes that occur, and how unevenly, beside the real images; both as the frozen network sees them."""
    fake, real = evidence.fake.classes, evidence.real.classes
    shares = evaluate.class_shares(real, evidence.fake.probabilities.shape[1])
    return {"modes": float(evaluate.mode_count(fake)), "reverse_kl": evaluate.reverse_kl(fake, shares)}


def label_accuracy(evidence: Evidence) -> Values:
    """Samples that the frozen network puts into the class that was asked for."""
    if evidence.fake.labels is None:
        raise BadInput("label_accuracy is for games that are asked for classes, and for images in class folders")
    return {"label_accuracy": evaluate.label_accuracy(evidence.fake.classes, evidence.fake.labels)}


PAIRS = 1000
"""Of different images, whose similarity is averaged."""


def similarity(evidence: Evidence) -> Values:
    """Similarity of samples to each other."""
    found = evaluate.diversity(evidence.fake.images, PAIRS, seed=0)
    return {"ms_ssim": found.value, "ms_ssim_error": found.error}


BINS = 100


def ndb(evidence: Evidence) -> Values:
    """Bins of pixel space that samples and real images fill differently."""
    found = evaluate.different_bins(evaluate.fit_bins(evidence.real.pixels, BINS, seed=0), evidence.fake.pixels)
    return {"ndb": float(found.ndb), "ndb_share": found.share, "ndb_divergence": found.divergence}


def duplicates(evidence: Evidence) -> Values:
    """Samples that are the same image, and the number of different images that this suggests."""
    found = evaluate.duplicates(evidence.fake.features, evidence.real.features)
    return {"duplicate_pairs": float(found.pairs), "duplicate_share": found.share, "support": found.support}


def memorised(evidence: Evidence) -> Values:
    """Samples that are copies of real images."""
    training = evidence.every_real()
    flat = training.reshape(len(training), -1) / 255
    return {"memorised": evaluate.memorised_share(evidence.fake.pixels, flat)}


PATHS, EPSILON = 10_000, 1e-4


def ppl(evidence: Evidence) -> Values:
    """How far images move when latents do."""
    length = evaluate.path_length(*evidence.networks.path(PATHS, EPSILON), EPSILON)
    return {"ppl": length.value, "ppl_error": length.error}


def discriminated(evidence: Evidence) -> Values:
    """How well the run's own discriminator tells samples from what it was trained on, and from what it never saw."""
    scores = evidence.networks.scores
    seen, unseen = (evidence.real.images, evidence.real.labels), evidence.held_out(len(evidence.real.images))
    of_fake = scores(evidence.fake.images, evidence.fake.labels)
    values = {}
    for name, real in (("seen", seen), ("unseen", unseen)):
        of_real = scores(*real)
        values[f"d_accuracy_{name}"] = evaluate.adversarial_accuracy(of_real, of_fake)
        values[f"d_ranking_{name}"] = evaluate.ranking_accuracy(of_real, of_fake)
    return values


def cas(evidence: Evidence) -> Values:
    """Accuracy on real images of a classifier that was trained on samples."""
    images, labels = evidence.held_out()
    if evidence.fake.labels is None or labels is None:
        raise BadInput("cas trains a classifier on samples: it needs a game that is asked for classes, and real labels")
    return {"cas": classifier_accuracy(evidence.fake.images, evidence.fake.labels, images, labels, jax.random.key(0))}


METRICS = {
    "fid": Metric(fid, {"fid": "lower"}),
    "kid": Metric(kid, {"kid": "lower"}, {"kernel": "(x.y / D + 1)^3", "subsets": None}),
    "is": Metric(inception, {"is": "higher"}, {"splits": SPLITS}),
    "prdc": Metric(
        prdc, dict.fromkeys(("precision", "recall", "density", "coverage"), "higher"), {"neighbours": NEIGHBOURS}
    ),
    "modes": Metric(modes, {"modes": "higher", "reverse_kl": "lower"}),
    "ms_ssim": Metric(similarity, {"ms_ssim": "lower"}, {"pairs": PAIRS}),
    "ndb": Metric(
        ndb, {"ndb": "lower", "ndb_share": "lower", "ndb_divergence": "lower"}, {"bins": BINS, "significance": 0.05}
    ),
    "duplicates": Metric(duplicates, {"duplicate_pairs": "lower", "duplicate_share": "lower", "support": "higher"}),
    "memorised": Metric(memorised, {"memorised": "lower"}, {"ratio": 1 / 3, "space": "pixels"}),
    "ppl": Metric(ppl, {"ppl": "lower"}, {"paths": PATHS, "epsilon": EPSILON, "distance": "squared, of features"}),
    "discriminator": Metric(discriminated, {}),
    "label_accuracy": Metric(label_accuracy, {"label_accuracy": "higher"}),
    "intra_fid": Metric(intra_fid, {"intra_fid": "lower"}),
    "cas": Metric(cas, {"cas": "higher"}, {"classifier": "LeNet of gan_jax.evaluate.classifier", "seed": 0}),
}


def named(words: str) -> dict[str, Metric]:
    """The metrics that `fid,prdc` names, in that order. Raises `BadInput` for a name that is none."""
    chosen = {}
    for word in filter(None, (word.strip() for word in words.split(","))):
        if word not in METRICS:
            near = get_close_matches(word, METRICS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"choose of {', '.join(METRICS)}"
            raise BadInput(f"no metric {word!r}: {hint}")
        chosen[word] = METRICS[word]
    if not chosen:
        raise BadInput(f"no metric is named: choose of {', '.join(METRICS)}")
    return chosen


def better(words: str) -> dict[str, str]:
    """Of the values of the metrics that are named, and can be ranked, whether `higher` or `lower` is better."""
    return {name: way for metric in named(words).values() for name, way in metric.better.items()}


def measure(metrics: Mapping[str, Metric], evidence: Evidence) -> dict[str, Values]:
    """Every metric's values. Raises `BadInput`, with the metric's name, where the evidence does not allow it."""
    found = {}
    for name, metric in metrics.items():
        try:
            values = metric.measure(evidence)
        except BadInput as error:
            raise BadInput(f"{name}: {error}") from error
        found[name] = {value: float(np.float64(number)) for value, number in values.items()}
    return found
