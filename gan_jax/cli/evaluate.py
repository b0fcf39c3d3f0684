"""`gan-jax evaluate`: from a run or from image files to scores, stamped with their protocol, and pictures."""

from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from gan_jax.cli import evaluation_target
from gan_jax.config.flags import NonNegativeInt, PositiveInt, Seed
from gan_jax.errors import BadInput
from gan_jax.evaluation import protocol, real_data
from gan_jax.evaluation.evaluator import SEED
from gan_jax.evaluation.feature_choice import choose_features
from gan_jax.evaluation.figures import draw_figures
from gan_jax.evaluation.inputs import EvalInputs, compute_features
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
    """Scores a run, or images, beside real images.

    Args:
        what: The folder of a run, a folder or archive of images, or a .npz file that gan-jax sample wrote.
        reference: Real images: a data set such as mnist, or a folder or archive; by default what the run was trained
            on.
        metrics: Which, separated by commas: fid, kid, is, prdc, modes, ms_ssim, ndb, duplicates, memorized, ppl,
            discriminator, label_accuracy, code_accuracy, intra_fid, cas.
        samples: How many samples are drawn, and how many real images they are compared with, where there are as many.
        split: Which split of the reference.
        features: The network that images are seen through: mnist, stacked_mnist, a .npz file of the script that trained
            those, or file.py:net; by default what suits the images.
        inception_weights: See the images through the FID Inception network with the weights in this file (.pth,
            .safetensors, .npz).
        data_dir: Folder with the original archives of REFERENCE, instead of a download.
        image_size: Crop and resize the images of folders and archives to squares of this many pixels a side.
        step: Which checkpoint of the run, by default the last.
        best: The checkpoint that the run's --best kept.
        seed: Of the samples.
        out: JSON file to write, by default RUN/evaluation.json (evaluation-best.json with --best); pictures go into a
            folder of that name beside it.
    """
    chosen = parse_metrics(metrics)
    if not what.exists():
        raise BadInput(f"{what} does not exist: give the folder of a run, or a folder or archive of images")
    if out and out.suffix != ".json":
        raise BadInput(f"--out {out}: scores are written as JSON, give a name that ends in .json")
    is_run = (what / "manifest.json").exists()
    if not is_run and (best or step is not None or seed != SEED):
        raise BadInput(f"{what} is not a run: --step, --best and --seed say which checkpoint and samples of a run")
    if best and step is not None:
        raise BadInput("--best and --step name two checkpoints: give one of them")
    if is_run and image_size and not reference:
        raise BadInput("--image-size is for folders and archives: a run's images have their size")
    if is_run and reference and "discriminator" in chosen:
        raise BadInput("discriminator is about the images that the run was trained on: leave REFERENCE out")
    if data_dir and not reference:
        raise BadInput("--data-dir is where the archives of REFERENCE are: name that as well")
    if not (is_run or reference) and split != "train":
        raise BadInput(f"--split {split} is of real images: name a data set or a folder of them as well")
    judged = (
        evaluation_target.run_target(what, step, best, seed)
        if is_run
        else evaluation_target.image_target(what, image_size)
    )
    real = (
        real_data.open_reference(reference, split, image_size, data_dir)
        if reference
        else judged.reference and judged.reference(split)
    )
    shown = judged.draw(samples)
    shape = shown.images.shape[1:]
    if real and real.source.shape != shape:
        raise BadInput(
            f"{what} has images of {_size(shape)}, {real.source.name} of {_size(real.source.shape)}: "
            "compare images of one size and number of channels (--image-size for folders)"
        )
    net = choose_features(features, inception_weights, shape, real.source.name if real else judged.about["name"])
    inputs = EvalInputs(
        net,
        fake=compute_features(net, shown),
        real_or_none=real and real.features(net, samples),
        reference=real,
        probes_or_none=judged.probes and judged.probes(net),
    )
    common = protocol.make_protocol(net, inputs.real_or_none, real, len(shown.images), shape, judged.drawn)
    found = protocol.stamp(judged.about, compute_scores(chosen, inputs), protocol.per_metric(chosen, common))
    Console(highlight=False).print(terminal(rows([found])))
    print(f"\n{protocol.describe(common)}")
    checkpoint = "-best" if best else "" if step is None else f"-{step}"
    out = out or (what / f"evaluation{checkpoint}.json" if is_run else None)
    if out:
        protocol.write(found, out)
        print(f"scores      {out}")
        for picture in draw_figures(inputs, out.with_suffix("")):
            print(f"picture     {picture}")


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
