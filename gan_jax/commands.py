"""What the commands do: train an experiment, compare settings, draw from a run."""

import io
import math
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import jax
import numpy as np
import tyro
from jaxtyping import Float, Shaped

from gan_jax import pictures, plane
from gan_jax.alone import alone
from gan_jax.catalogue import find, load
from gan_jax.chosen import between, in_turn, latents, varied
from gan_jax.code_words import read_choice
from gan_jax.compare import compare
from gan_jax.data import Source, open_source
from gan_jax.digest import digest
from gan_jax.errors import BadInput
from gan_jax.evaluate import charts
from gan_jax.experiment import Experiment, stages
from gan_jax.flags import NonNegativeInt, PositiveInt, Seed, parse
from gan_jax.health.watch import summary
from gan_jax.judge.results import Protocol, told
from gan_jax.judge.while_training import Assessor, ranked, with_earlier, write_protocols
from gan_jax.manifest import manifest
from gan_jax.provenance import compute_repeatably
from gan_jax.run_folder import RunFolder
from gan_jax.sample import sampler
from gan_jax.train import check, logged, new_state, train
from gan_jax.trained import rebuild, restore
from gan_jax.whole_file import write_whole


def train_experiment(name: str, flags: list[str]) -> int:
    """`gan-jax train NAME FLAGS...`: trains or resumes, and says where everything is. Returns the exit code."""
    file = find(name)
    build = load(file)
    parsed = parse(build, flags, f"gan-jax train {name}", given=["source"])
    common = parsed.kwargs["common"]
    if common.deterministic:
        compute_repeatably()
    folder = RunFolder(common.run_dir or Path("runs") / f"{file.stem}-{common.seed}")
    source = open_source(common.data, common.data_dir, size=common.image_size)
    experiment = build(source, **parsed.kwargs)
    check(experiment, source)
    if not folder.manifest.exists():  # a mistake that shows only when the game is traced must not claim the folder
        logged(experiment, source)
    protocols = prepared(experiment, source, folder) if common.evaluate else {}
    with alone(folder.path), _signals() as received:
        folder.claim(manifest(file, parsed.settings, source, parsed.files))
        if protocols:
            write_protocols(folder.protocols, protocols)
        state = train(experiment, source, folder, stop=lambda: bool(received))
    last = stages(experiment)[-1]
    if received and (state is None or int(state.step) < last.steps.stop):
        saved = "nothing was saved yet" if state is None else f"saved in {folder.path}"
        print(f"stopped; {saved}: the same command goes on from there", file=sys.stderr)
        return 128 + received[0]
    if state is None:
        print(f"{folder.path} has been trained for more than --images {common.images} already", file=sys.stderr)
        return 0
    print(f"samples     {folder.picture(last.images(last.steps.stop))}")
    print(f"animation   {folder.animation}")
    print(f"curves      {folder.curves}")
    print(f"checkpoint  {folder.checkpoints / str(last.steps.stop)}")
    print(f"digest      {digest(state)}")
    for line in summary(folder):
        print(f"health      {line}")
    if ways := ranked(common):
        report(folder, ways)
        print("by          " + "; ".join(dict.fromkeys(map(told, protocols.values()))))
    return 0


def compare_settings(name: str, flags: list[str]) -> int:
    """`gan-jax compare NAME FLAGS...`: trains a grid of settings, or goes on with it. Returns the exit code."""
    with _signals() as received:
        done = compare(name, flags, stop=lambda: bool(received))
    return 0 if done else 128 + received[0]


def sample(
    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")],
    n: PositiveInt | None = None,
    seed: Seed | None = None,
    labels: tuple[str, ...] = (),
    codes: tuple[str, ...] = (),
    vary: str = "",
    interpolate: PositiveInt | None = None,
    step: NonNegativeInt | None = None,
    best: bool = False,
    out: Path | None = None,
) -> None:
    """Draws from a checkpoint of a run.

    Args:
        run: The folder of a run.
        n: How many samples, by default as many as the run's own grids; with --vary or --interpolate how many rows.
        seed: Which samples; by default the run's seed, which draws its grids again.
        labels: Classes to draw, in turn, where the run's generator has classes, by their names or numbers; by default
            all of them.
        codes: Values of the generator's codes, as in c1=3 c2=-0.5; several, c1=3,8, are dealt in turn.
        vary: Draw every sample as a row in which this code takes all its values: c1, or c2:-2:2 to say from where to
            where.
        interpolate: Draw every sample as a row of this many steps towards another one.
        step: Which checkpoint, by default the last.
        best: Draw from the checkpoint that the run's --best kept.
        out: File to write: .png a grid, .npz arrays; by default RUN/sample.png.
    """
    out = out or run / "sample.png"
    if out.suffix not in (".png", ".npz"):
        raise BadInput(f"--out {out} is neither .png nor .npz: choose one of the two")
    if vary and interpolate:
        raise BadInput("--vary and --interpolate are two kinds of row: choose one of them")
    _, experiment, source = rebuild(RunFolder(run))
    if out.suffix == ".png" and len(source.shape) != 3 and source.shape != (2,):
        raise BadInput(f"samples of shape {source.shape} are no picture: give --out FILE.npz")
    # Of any phase: which one the checkpoint is of is known when it is restored.
    known = {name: code for phase in experiment.phases for name, code in phase.game.codes.items()}
    chosen = read_choice(known, source.classes, labels, codes, vary)

    game, state = restore(run, step, best)[2:4]
    key = jax.random.key(experiment.common.seed if seed is None else seed)
    given, (rows, cols) = in_turn(game) | chosen.given, experiment.grid
    if chosen.varied or interpolate:
        n = rows = n or rows
    elif n not in (None, rows * cols):
        cols = math.ceil(math.sqrt(n))
        rows = math.ceil(n / cols)
    n = n or rows * cols
    if chosen.varied:
        name, values = chosen.varied
        drawn, cols = varied(game, latents(game, key, n, given), name, values), len(values)
    elif interpolate:
        ends = latents(game, key, 2 * n, given)
        start, end = ({name: leaf[part] for name, leaf in ends.items()} for part in (slice(n), slice(n, None)))
        drawn, cols = between(start, end, interpolate), interpolate
    else:
        drawn = latents(game, key, n, given)
    write_samples(out, sampler(game)(state, drawn), {name: np.asarray(drawn[name]) for name in game.codes}, rows, cols)
    print(out)


def write_samples(
    out: Path,
    samples: Float[np.ndarray, "N ..."],
    codes: Mapping[str, Shaped[np.ndarray, " N"]],
    rows: int,
    cols: int,
) -> None:
    """Writes images or points, with their codes, as arrays, or row by row as a picture, which points in space have not.

    Labels, the code `y`, are called `labels`.
    """
    named = {"images": pictures.to_uint8(samples)} if samples.ndim == 4 else {"points": samples}
    if out.suffix == ".npz":
        arrays = io.BytesIO()
        np.savez(arrays, **named, **{("labels" if name == "y" else name): values for name, values in codes.items()})
        write_whole(out, arrays.getvalue())
    elif "images" in named:
        pictures.save_png(out, pictures.grid(named["images"], rows, cols))
    else:
        pictures.save_png(out, plane.scatter(samples[:0], samples, extent=plane.extent_of(samples)))


def prepared(experiment: Experiment, source: Source, folder: RunFolder) -> dict[str, Protocol]:
    """The protocols of a run's scores. Raises `BadInput` where it cannot be evaluated, or was so in another way."""
    game, assessor = experiment.phases[0].game, Assessor(experiment.common, source)
    protocols = with_earlier(folder.protocols, assessor.protocols(game))
    if not folder.manifest.exists():
        assessor.rehearse(game, new_state(game, source, experiment.common))
    return protocols


def report(folder: RunFolder, ways: Mapping[str, str]) -> None:
    """Every score's last and best value, so that a late collapse does not hide, and a picture of their course."""
    records, drawn = folder.records(), []
    for name, way in ways.items():
        scored = [(record[name], record["images"]) for record in records if math.isfinite(record.get(name, math.nan))]
        if scored:
            best, images = (max if way == "higher" else min)(scored)
            print(f"{name:<11} {scored[-1][0]:.4g} at the end; best {best:.4g} at {images:,} images")
            drawn.append(name)
    if drawn:
        upwards = {name for name in drawn if ways[name] == "higher"}
        pictures.save_png(folder.scores, charts.metric_curves(records, drawn, upwards))
        print(f"scores      {folder.scores}")


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Collects SIGINT and SIGTERM instead of dying of them; a second one kills at once."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    received: list[int] = []

    def note(number: int, _: object) -> None:
        received.append(number)
        for each in before:
            signal.signal(each, signal.SIG_DFL)

    for number in before:
        signal.signal(number, note)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
