"""The `gan-jax` command.

Exit codes: 0 done; 2 bad input, told in one line; 130 or 143 stopped by a signal, after saving.
"""

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import jax
import numpy as np
import tyro

from gan_jax import pictures
from gan_jax.catalogue import find, listing, load
from gan_jax.checkpoint import Checkpoints, digest
from gan_jax.data import Source, open_source
from gan_jax.errors import BadInput
from gan_jax.experiment import Experiment, stages
from gan_jax.flags import NonNegativeInt, PositiveInt, parse, to_argv
from gan_jax.parallel import make_mesh
from gan_jax.run_folder import Manifest, RunFolder, plain, versions
from gan_jax.sample import between, latents, sampler
from gan_jax.train import abstract_state, check, train

USAGE = """usage: gan-jax COMMAND ...

  list                        the experiments, a line each
  train EXPERIMENT [flags]    train an experiment, or resume it; flags: gan-jax train EXPERIMENT --help
  sample RUN [flags]          draw from a trained run; flags: gan-jax sample --help

EXPERIMENT is a name that `list` shows, or a file. RUN is the folder of a run."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Runs a command line (by default the process's own) and exits with its code."""
    try:
        sys.exit(_run(list(sys.argv[1:] if argv is None else argv)))
    except BadInput as error:
        print(f"gan-jax: {error}", file=sys.stderr)
        sys.exit(2)


def train_file(file: str) -> NoReturn:
    """What an experiment's file runs as a script: the same as `gan-jax train FILE ...`."""
    main(["train", file, *sys.argv[1:]])


def _run(argv: list[str]) -> int:
    match argv:
        case [] | ["--help" | "-h", *_]:
            print(USAGE)
        case ["list"]:
            print(listing())
        case ["train", str(name), *flags] if not name.startswith("-"):
            return _train(name, flags)
        case ["train", "--help" | "-h"]:
            print(f"usage: gan-jax train EXPERIMENT [flags]\n\n{listing()}")
        case ["train", *_]:
            raise BadInput("train what? `gan-jax list` shows the experiments")
        case ["sample", *flags]:
            parsed = parse(sample, flags, prog="gan-jax sample")
            sample(**parsed.kwargs)
        case [command, *_]:
            raise BadInput(f"no command {command!r}: list, train or sample; see gan-jax --help")
    return 0


def _train(name: str, flags: list[str]) -> int:
    file = find(name)
    build = load(file)
    parsed = parse(build, flags, f"gan-jax train {name}", given=["source"])
    common = parsed.kwargs["common"]
    folder = RunFolder(common.run_dir or Path("runs") / f"{file.stem}-{common.seed}")
    source = open_source(common.data, common.data_dir)
    experiment = build(source, **parsed.kwargs)
    data = {"name": source.name, "size": source.size, "shape": source.shape, "classes": source.classes}
    check(experiment, source)
    folder.claim(Manifest(str(file), plain(parsed.settings), plain(data), versions()))
    with _signals() as received:
        state = train(experiment, source, folder, stop=lambda: bool(received))
    if received:
        print(f"stopped and saved in {folder.path}: the same command goes on from there", file=sys.stderr)
        return 128 + received[0]
    if state is None:
        print(f"{folder.path} has been trained for longer than --images {common.images} already", file=sys.stderr)
        return 0
    grid = max(folder.samples.glob("*.png"))
    print(f"samples     {grid}")
    print(f"curves      {folder.curves}")
    print(f"checkpoint  {folder.checkpoints / str(int(state.step))}")
    print(f"digest      {digest(state)}")
    return 0


def sample(
    run: Annotated[Path, tyro.conf.Positional],
    n: PositiveInt | None = None,
    seed: NonNegativeInt | None = None,
    labels: tuple[NonNegativeInt, ...] = (),
    interpolate: PositiveInt | None = None,
    out: Path | None = None,
) -> None:
    """Draws from the last checkpoint of a run.

    Args:
        run: The folder of a run.
        n: How many samples, by default as many as the run's own grids.
        seed: Which samples; by default the run's seed, which draws its grids again.
        labels: Classes to draw, in turn, where the run's generator has classes.
        interpolate: Draw every sample as a row of this many steps towards another one.
        out: File to write: .png a grid, .npz arrays; by default RUN/sample.png.
    """
    folder = RunFolder(run)
    out = out or run / "sample.png"
    if out.suffix not in (".png", ".npz"):
        raise BadInput(f"--out {out} is neither .png nor .npz: choose one of the two")
    experiment, source = rebuild(folder)
    checkpoints = Checkpoints(folder.checkpoints)
    step = checkpoints.latest() or 0
    game = next(stage.game for stage in stages(experiment) if step <= stage.steps.stop)
    state = checkpoints.restore(abstract_state(game, source, experiment.common, make_mesh()))
    key = jax.random.key(experiment.common.seed if seed is None else seed)
    rows, cols = experiment.grid
    if n is not None and n != rows * cols:
        cols = int(np.ceil(np.sqrt(n)))
        rows = -(-n // cols)
    n = n or rows * cols
    if interpolate:
        ends = latents(game, key, 2 * n, labels)
        half = [{name: leaf[part] for name, leaf in ends.items()} for part in (slice(n), slice(n, None))]
        drawn, rows, cols = between(*half, interpolate), n, interpolate
    else:
        drawn = latents(game, key, n, labels)
    images = pictures.to_uint8(sampler(game)(state, drawn))
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".png":
        pictures.save_png(out, pictures.grid(images, rows, cols))
    else:
        np.savez(out, images=images, **({"labels": np.asarray(drawn["y"])} if "y" in drawn else {}))
    print(out)


def rebuild(folder: RunFolder) -> tuple[Experiment, Source]:
    """The experiment of a run, from its manifest, and its source as a name and a shape: the data is not read."""
    manifest = folder.read()
    build = load(find(manifest.experiment))
    parsed = parse(build, to_argv(manifest.settings), "gan-jax", given=["source"])
    shape, classes = tuple(manifest.data["shape"]), tuple(manifest.data["classes"])
    source = Source(manifest.data["name"], manifest.data["size"], shape, _unread, classes)
    return build(source, **parsed.kwargs), source


def _unread(_: object) -> NoReturn:
    raise AssertionError("a run is rebuilt without its data")


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Collects SIGINT and SIGTERM instead of dying of them; a second one kills at once."""
    received: list[int] = []

    def note(number: int, _: object) -> None:
        received.append(number)
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
