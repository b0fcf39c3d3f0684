"""`gan-jax evaluate`: computes metrics of a run or of image files, stamped with their protocol, and draws figures."""

import sys
from pathlib import Path
from typing import Annotated

import tyro

from gan_jax.cli.evaluation_target import EvaluationTarget, files_target, run_target
from gan_jax.cli.output import print_table
from gan_jax.config.flags import NonNegativeInt, PositiveInt, Seed
from gan_jax.data.source import describe_source
from gan_jax.errors import BadInput
from gan_jax.evaluation import protocol
from gan_jax.evaluation.evaluator import SEED
from gan_jax.evaluation.feature_choice import choose_features
from gan_jax.evaluation.figures import draw_figures
from gan_jax.evaluation.inputs import EvalInputs, Reference, compute_features
from gan_jax.evaluation.real_data import open_reference
from gan_jax.evaluation.suite import compute_scores, parse_metrics
from gan_jax.evaluation.tables import rows, terminal


def evaluate(
    what: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN|IMAGES")],
    reference: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="REFERENCE")] = "",
    metrics: str = "fid,kid,is,prdc",
    samples: PositiveInt = 10_000,
    split: str = "train",
    features: str = "",
    inception_weights: Path | None = None,
    data_dir: Path | None = None,
    image_size: PositiveInt | None = None,
    step: NonNegativeInt | None = None,
    best: bool = False,
    seed: Seed = SEED,
    out: Path | None = None,
) -> None:
    """Computes metrics of a run, or of images, against real images.

    Args:
        what: Folder of a run, a folder or archive of images, or a .npz file that gan-jax sample wrote.
        reference: Real images: a data set such as mnist, or a folder or archive; by default the training data of the
            run.
        metrics: Metrics to compute, separated by commas: fid, kid, is, prdc, modes, ms_ssim, ndb, duplicates,
            memorized, ppl, discriminator, label_accuracy, code_accuracy, intra_fid, cas.
        samples: Number of samples to draw, and of real images to compare them with (all of them if there are fewer).
        split: Split of the real images.
        features: Feature network: mnist, stacked_mnist, a .npz file of scripts/train_mnist_features.py, or file.py:net;
            by default the one for the data set.
        inception_weights: File with weights of the FID Inception network (.pth, .safetensors, .npz), which is then the
            feature network.
        data_dir: Folder with the original archives of REFERENCE, instead of a download.
        image_size: Crop and resize images of folders and archives to squares with sides of this many pixels.
        step: Step of the checkpoint; by default the last one.
        best: Use the checkpoint kept by the run's --best.
        seed: Seed of the samples.
        out: JSON file to write, by default RUN/evaluation.json (evaluation-best.json with --best); figures go into a
            folder of the same name.
    """
    chosen = parse_metrics(metrics)
    if not what.exists():
        raise BadInput(f"{what} does not exist: give the folder of a run, or a folder or archive of images")
    if out and out.suffix != ".json":
        raise BadInput(f"--out {out}: scores are written as JSON, give a name that ends in .json")
    is_run = (what / "manifest.json").exists()
    if is_run:
        _check_run_flags(best, step, image_size, reference, "discriminator" in chosen)
    else:
        _check_files_flags(what, best, step, seed, split, reference)
    if data_dir and not reference:
        raise BadInput("--data-dir has the archives of REFERENCE: give REFERENCE as well")
    target = run_target(what, step, best, seed) if is_run else files_target(what, image_size)
    real = open_reference(reference, split, image_size, data_dir) if reference else None
    if not reference and target.reference:
        real = target.reference(split)
    inputs = _make_inputs(target, real, samples, features, inception_weights)
    common = protocol.make_protocol(
        inputs.net, inputs.real_or_none, real, len(inputs.fake.images), inputs.fake.images.shape[1:], target.drawn
    )
    results = protocol.stamp(target.about, compute_scores(chosen, inputs), protocol.per_metric(chosen, common))
    if not out and is_run:
        checkpoint = "-best" if best else "" if step is None else f"-{step}"
        out = what / f"evaluation{checkpoint}.json"
    if out:  # before anything is printed: a terminal may fail, and scores are costly
        protocol.write(results, out)
    for found in (target.found, real and describe_source(real.source)):
        if found:
            print(f"data        {found}", file=sys.stderr)
    print_table(terminal(rows([results])))
    print(f"\n{protocol.describe(common)}")
    if out:
        print(f"scores      {out}")
        for picture in draw_figures(inputs, out.with_suffix("")):
            print(f"picture     {picture}")


def _check_run_flags(best: bool, step: int | None, size: int | None, reference: str, discriminator: bool) -> None:
    """Raises `BadInput` if flags contradict each other for a run."""
    if best and step is not None:
        raise BadInput("--best and --step name two checkpoints: give one of them")
    if size and not reference:
        raise BadInput("--image-size is for folders and archives: a run's images have their size")
    if reference and discriminator:
        raise BadInput("discriminator needs the training data of the run: leave REFERENCE out")


def _check_files_flags(what: Path, best: bool, step: int | None, seed: int, split: str, reference: str) -> None:
    """Raises `BadInput` if a flag does not apply to image files."""
    if best or step is not None or seed != SEED:
        raise BadInput(f"{what} is not a run: --step, --best and --seed are for runs only")
    if not reference and split != "train":
        raise BadInput(f"--split {split} is a split of real images: give REFERENCE as well")


def _make_inputs(
    target: EvaluationTarget, real: Reference | None, samples: int, features: str, inception_weights: Path | None
) -> EvalInputs:
    """Draws samples and computes all features. Raises `BadInput` if real images have another shape."""
    fake = target.draw(samples)
    shape = fake.images.shape[1:]
    if real and real.source.shape != shape:
        raise BadInput(
            f"{target.about['name']} has images of {_size(shape)}, {real.source.name} of {_size(real.source.shape)}: "
            "compare images of one size and number of channels (--image-size for folders)"
        )
    net = choose_features(features, inception_weights, shape, real.source.name if real else target.about["name"])
    return EvalInputs(
        net,
        fake=compute_features(net, fake),
        real_or_none=real and real.features(net, samples),
        reference=real,
        probes_or_none=target.probes and target.probes(net),
    )


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
