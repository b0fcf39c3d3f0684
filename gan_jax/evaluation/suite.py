"""The metrics that `gan-jax evaluate` knows, by their names: what each measures, and its part of the protocol."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

import jax
import numpy as np

from gan_jax import metrics
from gan_jax.errors import BadInput
from gan_jax.evaluation.inputs import EvalInputs, Labelled, Labels, rows_of
from gan_jax.metrics.classification_accuracy import classifier_accuracy

Values = dict[str, float]


class Metric(NamedTuple):
    """A question to the evidence."""

    measure: Callable[[EvalInputs], Values]
    values: Mapping[str, str]
    """The names of its values, and whether `higher` or `lower` is better; of an error, say, `neither`."""
    settings: Mapping[str, Any] = {}
    """What the numbers depend on, besides the images and the feature network."""


def fid(evidence: EvalInputs) -> Values:
    """Fréchet distance."""
    return {"fid": metrics.frechet_distance(evidence.real.features, evidence.fake.features)}


def kid(evidence: EvalInputs) -> Values:
    """Kernel distance, and its standard error."""
    distance = metrics.kernel_distance(evidence.real.features, evidence.fake.features)
    return {"kid": distance.value, "kid_error": distance.error}


def intra_fid(evidence: EvalInputs) -> Values:
    """Fréchet distance within each class, on average."""
    real, fake = evidence.real, evidence.fake
    of_real, of_fake = _labels(real.labeled, fake.labeled.classes), _labels(fake.labeled, real.labeled.classes)
    return {"intra_fid": metrics.intra_frechet_distance(real.features, of_real, fake.features, of_fake).mean}


def _labels(shown: Labelled, classes: tuple[str, ...]) -> Labels:
    """Labels that mean `classes`."""
    if shown.labels is None:
        raise BadInput("this is about classes: it takes labeled real images, and a game that is asked for classes")
    if shown.classes != classes:
        few = [", ".join(names[:3]) for names in (shown.classes, classes)]
        raise BadInput(f"labels mean {few[0]} ... on one side and {few[1]} ... on the other: name the classes alike")
    return shown.labels


SPLITS = 10
"""Of the inception score, as in its paper."""


def inception(evidence: EvalInputs) -> Values:
    """Inception score, and its spread over splits, which must not be one class each: files may be sorted."""
    order = np.random.RandomState(0).permutation(len(evidence.fake.predicted))
    score = metrics.inception_score(evidence.fake.probabilities[order], SPLITS)
    return {"is": score.value, "is_spread": score.error}


NEIGHBOURS = 5
"""Of density and coverage, as in their paper; precision and recall have the same here, as in its code."""


def prdc(evidence: EvalInputs) -> Values:
    """Precision, recall, density, coverage."""
    return metrics.prdc(evidence.real.features, evidence.fake.features, NEIGHBOURS)._asdict()


def modes(evidence: EvalInputs) -> Values:
    """Classes that occur, as the frozen network sees them, and how unevenly, beside the real images."""
    fake = evidence.fake.predicted
    return {"modes": float(metrics.mode_count(fake)), "reverse_kl": metrics.reverse_kl(fake, evidence.real_shares())}


def label_accuracy(evidence: EvalInputs) -> Values:
    """Samples that the frozen network puts into the class that was asked for."""
    asked = _labels(evidence.fake.labeled, evidence.net.classes)
    return {"label_accuracy": metrics.label_accuracy(evidence.fake.predicted, asked)}


def code_accuracy(evidence: EvalInputs) -> Values:
    """Samples whose class is that of their code's value, by the best matching of values to classes."""
    asked = evidence.fake.labeled.labels
    if asked is None:
        raise BadInput("these samples were drawn without a categorical code: take a game that has one, or leave it out")
    return {"code_accuracy": metrics.code_accuracy(asked, evidence.fake.predicted).accuracy}


PAIRS = 1000
"""Of different images, whose similarity is averaged."""


def similarity(evidence: EvalInputs) -> Values:
    """Similarity of samples to each other."""
    found = metrics.diversity(evidence.fake.images, PAIRS, seed=0)
    return {"ms_ssim": found.value, "ms_ssim_error": found.error}


BINS = 100
"""Of k-means, as in its paper."""


def ndb(evidence: EvalInputs) -> Values:
    """Bins of pixel space that samples and real images fill differently."""
    found = metrics.different_bins(metrics.fit_bins(evidence.real.pixels, BINS, seed=0), evidence.fake.pixels)
    return {"ndb": float(found.ndb), "ndb_share": found.share, "ndb_divergence": found.divergence}


def duplicates(evidence: EvalInputs) -> Values:
    """Samples that are the same image, and the number of different images that this suggests."""
    samples, real = evidence.fake.features, evidence.real.features
    if len(real) < len(samples):
        raise BadInput(
            f"it compares with as many real images, and there are {len(real)}: draw no more samples than that"
        )
    found = metrics.duplicates(samples, real)
    return {"duplicate_pairs": float(found.pairs), "duplicate_share": found.share, "support": found.support}


def memorised(evidence: EvalInputs) -> Values:
    """Samples that are copies of real images."""
    return {"memorised": metrics.memorized_share(evidence.fake.pixels, rows_of(evidence.training().images))}


PATHS, EPSILON = 10_000, 1e-4
"""Of the path length: how many places, and how far apart two images are, as a share of the path (StyleGAN's)."""


def ppl(evidence: EvalInputs) -> Values:
    """How far images move when latents do."""
    length = metrics.path_length(*evidence.networks.path(PATHS, EPSILON), EPSILON)
    return {"ppl": length.value, "ppl_error": length.error}


def discriminated(evidence: EvalInputs) -> Values:
    """How well the run's own discriminator tells samples from what it was trained on, and from what it never saw."""
    scores, seen = evidence.networks.scores, evidence.seen_in_training.labeled
    unseen, of_fake, values = evidence.held_out(len(seen.images)), scores(evidence.fake.labeled), {}
    for name, real in (("seen", seen), ("unseen", unseen)):
        of_real = scores(real)
        values[f"d_accuracy_{name}"] = metrics.adversarial_accuracy(of_real, of_fake)
        values[f"d_ranking_{name}"] = metrics.ranking_accuracy(of_real, of_fake)
    return values


def cas(evidence: EvalInputs) -> Values:
    """Accuracy on real images of a classifier that was trained on samples."""
    real, fake = evidence.held_out(), evidence.fake.labeled
    asked, labels = _labels(fake, real.classes), _labels(real, fake.classes)
    return {"cas": classifier_accuracy(fake.images, asked, real.images, labels, jax.random.key(0))}


METRICS = {
    "fid": Metric(fid, {"fid": "lower"}),
    "kid": Metric(kid, {"kid": "lower", "kid_error": "neither"}, {"kernel": "(x.y / D + 1)^3", "subsets": None}),
    "intra_fid": Metric(intra_fid, {"intra_fid": "lower"}),
    "is": Metric(inception, {"is": "higher", "is_spread": "neither"}, {"splits": SPLITS, "order": "random"}),
    "modes": Metric(modes, {"modes": "higher", "reverse_kl": "lower"}),
    "label_accuracy": Metric(label_accuracy, {"label_accuracy": "higher"}),
    "code_accuracy": Metric(code_accuracy, {"code_accuracy": "higher"}),
    "cas": Metric(cas, {"cas": "higher"}, {"classifier": "gan_jax.evaluate.classifier", "seed": 0}),
    "prdc": Metric(
        prdc,
        {"precision": "higher", "recall": "higher", "density": "higher", "coverage": "higher"},
        {"neighbors": NEIGHBOURS},
    ),
    "ms_ssim": Metric(similarity, {"ms_ssim": "lower", "ms_ssim_error": "neither"}, {"pairs": PAIRS}),
    "ndb": Metric(
        ndb,
        {"ndb": "lower", "ndb_share": "lower", "ndb_divergence": "lower"},
        {"bins": BINS, "significance": 0.05, "space": "pixels"},
    ),
    "duplicates": Metric(duplicates, {"duplicate_pairs": "lower", "duplicate_share": "lower", "support": "higher"}),
    "memorised": Metric(memorised, {"memorised": "lower"}, {"ratio": 1 / 3, "space": "pixels"}),
    "ppl": Metric(
        ppl,
        {"ppl": "lower", "ppl_error": "neither"},
        {"paths": PATHS, "epsilon": EPSILON, "distance": "squared, of features"},
    ),
    "discriminator": Metric(
        discriminated,
        {f"d_{what}_{where}": "neither" for where in ("seen", "unseen") for what in ("accuracy", "ranking")},
    ),
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


def ways(metrics: Iterable[Metric] = METRICS.values()) -> dict[str, str]:
    """The values of metrics, and whether `higher` or `lower` is better, or `neither`."""
    return {name: way for metric in metrics for name, way in metric.values.items()}


def measure(metrics: Mapping[str, Metric], evidence: EvalInputs) -> dict[str, Values]:
    """Every metric's values. Raises `BadInput`, with the metric's name, where the evidence does not allow it."""
    found = {}
    for name, metric in metrics.items():
        try:
            values = metric.measure(evidence)
        except BadInput as error:
            raise BadInput(f"{name}: {error}") from error
        found[name] = {value: float(np.float64(number)) for value, number in values.items()}
    return found
