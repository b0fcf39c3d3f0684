"""`gan-jax evaluate`: computes metrics of a run or of files of samples, stamped with their protocol; draws figures."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import tyro

from gan_jax.cli.evaluate_pairs import (
    Evaluated,
    check_pair_flags,
    evaluate_files,
    evaluate_translations,
    read_networks,
)
from gan_jax.cli.evaluation_target import EvaluationTarget, files_target, run_target
from gan_jax.cli.output import print_table
from gan_jax.config.flags import NonNegativeInt, PositiveInt, Seed
from gan_jax.data import is_recorded
from gan_jax.data.modality import Leaf
from gan_jax.data.source import describe_source
from gan_jax.errors import BadInput
from gan_jax.evaluation import protocol
from gan_jax.evaluation.evaluator import SEED
from gan_jax.evaluation.feature_choice import choose_features
from gan_jax.evaluation.figures import draw_figures
from gan_jax.evaluation.image_sets import open_named
from gan_jax.evaluation.inputs import EvalInputs, LabeledExamples, Reference, compute_features
from gan_jax.evaluation.pair_metrics import PairInputs, PairMetric
from gan_jax.evaluation.real_data import open_reference
from gan_jax.evaluation.suite import Metric, compute_scores, parse_metrics
from gan_jax.evaluation.tables import rows, terminal
from gan_jax.metrics.features.network import FeatureNet


def evaluate(
    what: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN|SAMPLES")],
    reference: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="REFERENCE")] = "",
    metrics: str = "fid,kid,is,prdc",
    samples: PositiveInt = 10_000,
    split: str = "train",
    features: str = "",
    inception_weights: Path | None = None,
    lpips_weights: Path | None = None,
    inputs: str = "",
    domain: str = "",
    border: NonNegativeInt = 4,
    color: Literal["y", "rgb"] = "y",
    data_dir: Path | None = None,
    image_size: PositiveInt | None = None,
    step: NonNegativeInt | None = None,
    best: bool = False,
    seed: Seed = SEED,
    out: Path | None = None,
) -> None:
    """Computes metrics of a run, or of samples, against real examples.

    Args:
        what: Folder of a run, a folder or archive of images, a .npz file that gan-jax sample wrote, or sounds or videos
            in files, as in audio:FOLDER.
        reference: Real examples: a data set such as mnist or audio:FOLDER, or a folder or archive; by default the
            training data of the run. For psnr, ssim and lpips, the targets; for accuracy, the labeled inputs.
        metrics: Metrics to compute, separated by commas: fid, kid, is, prdc, modes, ms_ssim, ndb, duplicates,
            memorized, ppl, discriminator, label_accuracy, code_accuracy, intra_fid, cas; for videos, frame_fid,
            identity, motion. For images with a target of
            the same file name in REFERENCE, of any size: psnr, ssim, lpips; inside the holes of --inputs: masked_psnr,
            masked_l1; for images of any size: fd_patches. For images with the label of their partner in REFERENCE, and
            a classifier in --features: accuracy.
        samples: Number of samples to draw, and of real ones to compare them with (all of them if there are fewer).
        split: Split of the real examples; of a run on inputs, of its examples.
        features: Feature network: mnist, stacked_mnist, alexnet-conv5 (with --lpips-weights); of sounds, tones,
            spoken_digits, speakers; of videos, moving_digits; a .npz file of scripts/train_classifier.py or
            train_ear.py, or file.py:net; by default, but for accuracy, the one for the data set.
        inception_weights: File with weights of the FID Inception network (.pth, .safetensors, .npz), which is then the
            feature network.
        lpips_weights: File with weights of AlexNet and LPIPS (.npz), for lpips, fd_patches and alexnet-conv5.
        inputs: What the images were made of, as given to gan-jax sample, for psnr, ssim and lpips: its own scores stand
            beside theirs, as psnr_input. Small images are enlarged (bicubic), holes have the mean color of the rest.
            A run on inputs translates its own.
        domain: Which of its inputs a run translates, as in b, for games that translate both ways; by default the first.
        border: Pixels that psnr and ssim leave off at every side.
        color: What psnr and ssim compare of color images: y for luminance, as in super-resolution, or rgb.
        data_dir: Folder with the original archives of REFERENCE, instead of a download.
        image_size: Crop and resize images of folders, archives and data sets to squares with sides of this many pixels.
        step: Step of the checkpoint; by default the last one.
        best: Use the checkpoint kept by the run's --best.
        seed: Seed of the samples.
        out: JSON file to write, by default RUN/evaluation.json (evaluation-best.json with --best); figures go into a
            folder of the same name.
    """
    chosen = parse_metrics(metrics)
    of_pairs = {name: metric for name, metric in chosen.items() if isinstance(metric, PairMetric)}
    of_sets = {name: metric for name, metric in chosen.items() if name not in of_pairs}
    if not what.exists() and not is_recorded(str(what)):
        raise BadInput(f"{what} does not exist: give the folder of a run, or samples in a folder, an archive or a file")
    if out and out.suffix != ".json":
        raise BadInput(f"--out {out}: scores are written as JSON, give a name that ends in .json")
    if data_dir and not reference:
        raise BadInput("--data-dir has the archives of REFERENCE: give REFERENCE as well")
    is_run = (what / "manifest.json").exists()
    if is_run:
        _check_run_flags(best, step, image_size, reference, "discriminator" in chosen, inputs)
    else:
        _check_files_flags(what, best, step, seed, split, reference, domain)
        if of_pairs:
            check_pair_flags(of_pairs, reference, split, image_size, inputs)
        elif inputs:
            raise BadInput(
                f"--inputs: {next(iter(of_sets))} compares no pairs: give psnr, ssim or lpips, or leave it out"
            )
    pair = partial(
        PairInputs, border=border, luminance=color == "y", **read_networks(of_pairs, lpips_weights, features)
    )
    parts = []
    if is_run:
        target = run_target(what, step, best, seed, split, domain)
        if target.translated and reference:
            raise BadInput(f"{what} is compared with its own data, --split of it: leave {reference} out")
        parts += evaluate_translations(of_pairs, target, samples, pair) if of_pairs else []
    elif of_pairs:
        targets = partial(open_named, reference, split=split, size=image_size, data_dir=data_dir)
        parts.append(evaluate_files(of_pairs, what, targets, inputs, image_size, pair))
    if of_sets:
        real = open_reference(reference, split, image_size, data_dir) if reference else None
        target = target if is_run else files_target(what, image_size, real and real.source)
        if not reference and target.reference:
            real = target.reference(split)
        net = partial(choose_features, features, inception_weights, lpips_weights=lpips_weights)
        parts.append(_evaluate_sets(of_sets, target, real, samples, net))
    results = _merge(parts, chosen)
    if not out and is_run:
        checkpoint = "-best" if best else "" if step is None else f"-{step}"
        out = what / f"evaluation{checkpoint}.json"
    if out:  # before anything is printed: a terminal may fail, and scores are costly
        protocol.write(results, out)
    _report(results, parts, out)


def _merge(parts: Sequence[Evaluated], chosen: Iterable[str]) -> protocol.Results:
    """Joins the scores of all parts, in the order in which the metrics were given."""
    scores = {name: score for part in parts for name, score in part.results.scores.items()}
    return protocol.Results(parts[-1].results.subject, {name: scores[name] for name in chosen})


def _report(results: protocol.Results, parts: Sequence[Evaluated], out: Path | None) -> None:
    """Prints what the files were taken for, the scores and their protocols; draws figures beside `out`."""
    for found in (found for part in parts for found in part.found):
        print(f"data        {found}", file=sys.stderr)
    print_table(terminal(rows([results])))
    protocols = dict.fromkeys(protocol.describe(score["protocol"]) for score in results.scores.values())
    print("\n" + "\n".join(protocols))
    if out:
        print(f"scores      {out}")
        for part in parts:
            for picture in draw_figures(part.inputs, out.with_suffix("")) if part.inputs else ():
                print(f"picture     {picture}")


def _check_run_flags(
    best: bool, step: int | None, size: int | None, reference: str, discriminator: bool, inputs: str
) -> None:
    """Raises `BadInput` if flags contradict each other for a run."""
    if best and step is not None:
        raise BadInput("--best and --step name two checkpoints: give one of them")
    if size and not reference:
        raise BadInput("--image-size is for folders and archives: a run's images have their size")
    if reference and discriminator:
        raise BadInput("discriminator needs the training data of the run: leave REFERENCE out")
    if inputs:
        raise BadInput(
            f"--inputs is for files: a run has its own; leave it out, or gan-jax sample RUN --inputs {inputs}"
        )


def _check_files_flags(
    what: Path, best: bool, step: int | None, seed: int, split: str, reference: str, domain: str
) -> None:
    """Raises `BadInput` if a flag does not apply to files of samples."""
    if domain:
        raise BadInput(f"{what} is not a run: --domain is for runs only")
    if best or step is not None or seed != SEED:
        raise BadInput(f"{what} is not a run: --step, --best and --seed are for runs only")
    if not reference and split != "train":
        raise BadInput(f"--split {split} is a split of real examples: give REFERENCE as well")


def _evaluate_sets(
    metrics: Mapping[str, Metric],
    target: EvaluationTarget,
    real: Reference | None,
    samples: int,
    choose_net: Callable[[Leaf, str], FeatureNet],
) -> Evaluated:
    """Computes metrics of one set of examples against another."""
    inputs = _make_inputs(target, real, samples, choose_net)
    common = protocol.make_protocol(
        inputs.net, inputs.real_or_none, real, len(inputs.fake.examples), _leaf(inputs.fake.labeled), target.drawn
    )
    protocols = protocol.per_metric(metrics, common, real, inputs.net.kind)
    results = protocol.stamp(target.about, compute_scores(metrics, inputs), protocols)
    found = [target.found, describe_source(real.source) if real else ""]
    return Evaluated(results, list(filter(None, found)), inputs)


def _make_inputs(
    target: EvaluationTarget, real: Reference | None, samples: int, choose_net: Callable[[Leaf, str], FeatureNet]
) -> EvalInputs:
    """Draws samples and computes all features. Raises `BadInput` if real examples have another shape or kind."""
    fake = target.draw(samples)
    leaf = _leaf(fake)
    if real and real.source.spec["x"] != leaf:
        raise BadInput(
            f"{target.about['name']} has {_size(leaf)}, {real.source.name} {_size(real.source.spec['x'])}: compare "
            "examples of one kind, size and number of channels (--image-size for folders of images)"
        )
    net = choose_net(leaf, real.source.name if real else target.about["name"])
    return EvalInputs(
        net,
        fake=compute_features(net, fake),
        real_or_none=real and real.features(net, samples),
        reference=real,
        probes_or_none=target.probes and target.probes(net),
    )


def _leaf(labeled: LabeledExamples) -> Leaf:
    return Leaf(labeled.examples.shape[1:], labeled.kind)


def _size(leaf: Leaf) -> str:
    return f"{leaf.modality.words} of {'x'.join(map(str, leaf.shape))}"
