"""The metrics of `gan-jax evaluate` by name, each with the names of its values and its part of the protocol."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches

import jax
import numpy as np

from gan_jax import metrics
from gan_jax.data.modality import IMAGE, Modality
from gan_jax.errors import BadInput
from gan_jax.evaluation.inputs import EvalInputs, LabeledExamples, Labels
from gan_jax.evaluation.metric import Metric, Values
from gan_jax.evaluation.pair_metrics import OF_INPUT, PAIR_METRICS, PairInputs, PairMetric, PairScores
from gan_jax.evaluation.video_metrics import VIDEO_METRICS
from gan_jax.metrics.classification_accuracy import classifier_accuracy


def fid(inputs: EvalInputs) -> Values:
    """Computes the Fréchet distance between features."""
    return {"fid": metrics.frechet_distance(inputs.real.features, inputs.fake.features)}


def kid(inputs: EvalInputs) -> Values:
    """Computes the kernel distance between features, and its standard error."""
    distance = metrics.kernel_distance(inputs.real.features, inputs.fake.features)
    return {"kid": distance.value, "kid_error": distance.error}


def intra_fid(inputs: EvalInputs) -> Values:
    """Computes the mean over classes of the Fréchet distance within a class, and the smallest rank of a covariance."""
    real, fake = inputs.real, inputs.fake
    of_real, of_fake = _labels(real.labeled, fake.labeled.classes), _labels(fake.labeled, real.labeled.classes)
    found = metrics.intra_frechet_distance(real.features, of_real, fake.features, of_fake)
    return {"intra_fid": found.mean, "intra_fid_rank": float(found.rank)}


def _labels(labeled: LabeledExamples, classes: tuple[str, ...]) -> Labels:
    """Returns the labels. Raises `BadInput` without labels, or if their classes are not `classes`."""
    if labeled.labels is None:
        raise BadInput("this metric needs classes: labeled real examples and a conditional game")
    if labeled.classes != classes:
        few = [", ".join(names[:3]) for names in (labeled.classes, classes)]
        raise BadInput(f"labels have different classes ({few[0]} ... and {few[1]} ...): use the same class names")
    return labeled.labels


SPLITS = 10
"""Splits of the inception score, as in its paper."""


def inception(inputs: EvalInputs) -> Values:
    """Computes the inception score, and its spread over random splits (files may be sorted by class)."""
    order = np.random.RandomState(0).permutation(len(inputs.fake.predicted))
    score = metrics.inception_score(inputs.fake.probabilities[order], SPLITS)
    return {"is": score.value, "is_spread": score.error}


NEIGHBORS = 5
"""The k of all four metrics, as in the paper on density and coverage and its code."""


def prdc(inputs: EvalInputs) -> Values:
    """Computes precision, recall, density and coverage."""
    return metrics.prdc(inputs.real.features, inputs.fake.features, NEIGHBORS)._asdict()


def modes(inputs: EvalInputs) -> Values:
    """Counts the predicted classes among samples, and computes their reverse KL divergence from the real shares."""
    fake = inputs.fake.predicted
    return {
        "modes": float(metrics.mode_count(fake)),
        "reverse_kl_classes": metrics.reverse_kl_classes(fake, inputs.real_shares()),
    }


def label_accuracy(inputs: EvalInputs) -> Values:
    """Computes the share of samples whose predicted class is the label they were drawn for.

    That is the label that the network's classes are of, such as `speaker`, whose numbers are compared.
    """
    fake, net = inputs.fake.labeled, inputs.net
    if net.label != "y" and net.label not in fake.others:
        raise BadInput(f"this metric needs samples with labels {net.label}, of which are the classes of {net.name}")
    labels = _labels(fake, net.classes) if net.label == "y" else fake.others[net.label]
    return {"label_accuracy": metrics.label_accuracy(inputs.fake.predicted, labels)}


def code_accuracy(inputs: EvalInputs) -> Values:
    """Computes the accuracy of a categorical code as a class predictor under the best one-to-one assignment."""
    codes = inputs.fake.labeled.labels
    if codes is None:
        raise BadInput("this metric needs a game with a categorical code: leave it out")
    return {"code_accuracy": metrics.code_accuracy(codes, inputs.fake.predicted).accuracy}


PAIRS = 1000
"""Pairs of samples over which MS-SSIM is averaged."""


def similarity(inputs: EvalInputs) -> Values:
    """Computes the mean MS-SSIM of pairs of samples, and its standard error."""
    found = metrics.mean_ms_ssim(inputs.fake.examples, PAIRS, seed=0)
    return {"ms_ssim": found.value, "ms_ssim_error": found.error}


BINS = 100
"""Bins of k-means, as in the NDB paper."""


def ndb(inputs: EvalInputs) -> Values:
    """Counts bins of pixel or feature space whose shares of samples and of real ones differ significantly."""
    found = metrics.different_bins(metrics.fit_bins(inputs.real.rows, BINS, seed=0), inputs.fake.rows)
    return {"ndb": float(found.ndb), "ndb_share": found.share, "ndb_divergence": found.divergence}


def duplicates(inputs: EvalInputs) -> Values:
    """Counts pairs of duplicate samples, and estimates the support size from them (birthday paradox test)."""
    samples, real = inputs.fake.features, inputs.real.features
    if len(real) < len(samples):
        raise BadInput(f"this metric needs as many real images as samples, and there are {len(real)}: lower --samples")
    found = metrics.duplicates(samples, real)
    return {"duplicate_pairs": float(found.pairs), "duplicate_share": found.share, "support": found.support}


def memorized(inputs: EvalInputs) -> Values:
    """Computes the share of samples that are copies of training examples."""
    return {"memorized": metrics.memorized_share(inputs.fake.rows, inputs.training_rows())}


def _space(kind: Modality) -> dict[str, str]:
    """Names the space of `Features.rows`."""
    return {"space": "pixels" if kind == IMAGE else "features"}


PATHS, EPSILON = 10_000, 1e-4
"""The number of points and the step of the path length, as in StyleGAN."""


def ppl(inputs: EvalInputs) -> Values:
    """Computes the perceptual path length, and its standard error."""
    length = metrics.path_length(*inputs.probes.path(PATHS, EPSILON), EPSILON)
    return {"ppl": length.value, "ppl_error": length.error}


def discriminated(inputs: EvalInputs) -> Values:
    """Computes how well the run's discriminator separates samples from training examples, and from held-out ones."""
    scores, seen = inputs.probes.scores, inputs.training_subset.labeled
    unseen, s_fake, values = inputs.held_out(len(seen.examples)), scores(inputs.fake.labeled), {}
    for name, real in (("seen", seen), ("unseen", unseen)):
        s_real = scores(real)
        values[f"d_accuracy_{name}"] = metrics.adversarial_accuracy(s_real, s_fake)
        values[f"d_ranking_{name}"] = metrics.ranking_accuracy(s_real, s_fake)
    return values


def cas(inputs: EvalInputs) -> Values:
    """Computes the accuracy on held-out real images of a classifier trained on samples."""
    real, fake = inputs.held_out(), inputs.fake.labeled
    y_fake, y_real = _labels(fake, real.classes), _labels(real, fake.classes)
    return {"cas": classifier_accuracy(fake.examples, y_fake, real.examples, y_real, jax.random.key(0))}


METRICS: dict[str, Metric | PairMetric] = {
    "fid": Metric(fid, {"fid": "lower"}),
    "kid": Metric(kid, {"kid": "lower", "kid_error": "neither"}, {"kernel": "(x.y / D + 1)^3", "subsets": None}),
    "intra_fid": Metric(intra_fid, {"intra_fid": "lower", "intra_fid_rank": "neither"}),
    "is": Metric(inception, {"is": "higher", "is_spread": "neither"}, {"splits": SPLITS, "order": "random"}),
    "modes": Metric(modes, {"modes": "higher", "reverse_kl_classes": "lower"}),
    "label_accuracy": Metric(label_accuracy, {"label_accuracy": "higher"}),
    "code_accuracy": Metric(code_accuracy, {"code_accuracy": "higher"}),
    "cas": Metric(
        cas,
        {"cas": "higher"},
        {"classifier": "gan_jax.evaluate.classifier", "seed": 0},
        held_out=True,
        kinds=(IMAGE.name,),
    ),
    "prdc": Metric(
        prdc,
        {"precision": "higher", "recall": "higher", "density": "higher", "coverage": "higher"},
        {"neighbors": NEIGHBORS},
    ),
    "ms_ssim": Metric(
        similarity, {"ms_ssim": "lower", "ms_ssim_error": "neither"}, {"pairs": PAIRS}, kinds=(IMAGE.name,)
    ),
    "ndb": Metric(
        ndb,
        {"ndb": "lower", "ndb_share": "lower", "ndb_divergence": "lower"},
        {"bins": BINS, "significance": 0.05},
        settings_of=_space,
    ),
    "duplicates": Metric(duplicates, {"duplicate_pairs": "lower", "duplicate_share": "lower", "support": "higher"}),
    "memorized": Metric(memorized, {"memorized": "lower"}, {"ratio": 1 / 3}, settings_of=_space),
    "ppl": Metric(
        ppl,
        {"ppl": "lower", "ppl_error": "neither"},
        {"paths": PATHS, "epsilon": EPSILON, "distance": "squared, of features"},
        kinds=(IMAGE.name,),
    ),
    "discriminator": Metric(
        discriminated,
        {f"d_{what}_{where}": "neither" for where in ("seen", "unseen") for what in ("accuracy", "ranking")},
        held_out=True,
    ),
    **VIDEO_METRICS,
    **PAIR_METRICS,
}


OLD_NAMES = {"memorised": "memorized", "reverse_kl": "reverse_kl_classes"}
"""Names of metrics and values in earlier releases, still accepted and read."""


def parse_set_metrics(words: str) -> dict[str, Metric]:
    """Parses metrics of sets of images. Raises `BadInput` for one of pairs, or an unknown one."""
    chosen = parse_metrics(words)
    if of_pairs := [name for name, metric in chosen.items() if isinstance(metric, PairMetric)]:
        what = f"{of_pairs[0]} compares images with their targets, which a run does not do while it trains"
        raise BadInput(
            f"{what}: leave it out, and give gan-jax evaluate RUN --metrics {of_pairs[0]} once it is trained"
        )
    return chosen


def parse_metrics(words: str) -> dict[str, Metric | PairMetric]:
    """Parses names of metrics separated by commas, as in `fid,prdc`. Raises `BadInput` for an unknown one."""
    chosen = {}
    for word in filter(None, (word.strip() for word in words.split(","))):
        word = OLD_NAMES.get(word, word)
        if word not in METRICS:
            near = get_close_matches(word, METRICS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(METRICS)}"
            raise BadInput(f"unknown metric {word!r}: {hint}")
        chosen[word] = METRICS[word]
    if not chosen:
        raise BadInput(f"no metric is given: choose one of {', '.join(METRICS)}")
    return chosen


def directions(metrics: Iterable[Metric | PairMetric] = METRICS.values()) -> dict[str, str]:
    """Returns the better direction of every value of the metrics: `higher`, `lower` or `neither`."""
    found = {name: better for metric in metrics for name, better in metric.values.items()}
    pairs = {name for metric in metrics if isinstance(metric, PairMetric) for name in metric.values}
    return found | {name + OF_INPUT: found[name] for name in pairs}


def compute_scores(metrics: Mapping[str, Metric | PairMetric], inputs: EvalInputs) -> dict[str, Values]:
    """Computes the values of every metric. Raises `BadInput`, with the metric's name, if an input is missing."""
    kind, scores = inputs.net.kind, {}
    for name, metric in metrics.items():
        with naming(name):
            if isinstance(metric, PairMetric):
                raise BadInput("this metric compares files of images: give gan-jax evaluate two folders of them")
            if kind.name not in metric.kinds:
                known = " and ".join(metric.kinds)
                raise BadInput(f"this metric is for {known} data, not for {kind.name}: leave it out")
            values = metric.compute(inputs)
        scores[name] = {value: float(np.float64(number)) for value, number in values.items()}
    return scores


def compute_pair_scores(metrics: Mapping[str, PairMetric], inputs: PairInputs) -> dict[str, PairScores]:
    """Computes every metric of pairs. Raises `BadInput`, with the metric's name, if an input is missing or unfit."""
    scores = {}
    for name, metric in metrics.items():
        with naming(name):
            scores[name] = metric.compute(inputs)
    return scores


@contextmanager
def naming(metric: str) -> Iterator[None]:
    """Adds the name of the metric to a `BadInput`."""
    try:
        yield
    except BadInput as error:
        raise BadInput(f"{metric}: {error}") from error
