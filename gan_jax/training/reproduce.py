"""Reproduces a run from its manifest, and compares the digests of its checkpoints bit for bit.

The digests remain when checkpoints are deleted, so a run can be reproduced long afterwards.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
import tyro

from gan_jax.config.experiment import Experiment, flags_affecting
from gan_jax.config.flags import PositiveInt, parse, to_argv
from gan_jax.data import Source
from gan_jax.engine.parallel import make_mesh
from gan_jax.errors import BadInput
from gan_jax.runs.checkpoint import Checkpoints
from gan_jax.runs.manifest import Manifest, manifest
from gan_jax.runs.provenance import compute_repeatably
from gan_jax.runs.run_data import run_data
from gan_jax.runs.run_dir import RunDir
from gan_jax.training.restore import stage_of
from gan_jax.training.train import abstract_state, announce, check, logged, train

UNREAD = flags_affecting("evaluation") | {"best"}
"""Settings that do not affect training and are ignored."""

Run = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]

Digests = Mapping[int, Mapping[str, Any]]
"""The lines of `RunDir.read_digests`, by step."""


def reproduce(run: Run, upto: PositiveInt | None = None) -> int:
    """Plays a run again from its manifest, and compares the state at every checkpoint. Returns 0 if all are equal.

    Args:
        run: The folder of a run.
        upto: Stop after this many images; by default after the last checkpoint.
    """
    folder = RunDir(run)
    about, wanted = folder.read(), digests(folder, upto)
    with tempfile.TemporaryDirectory(prefix="gan-jax-reproduce-") as scratch:
        again = RunDir(Path(scratch) / "run")
        experiment, source = _prepare(run, about, wanted, again)

        def stop() -> bool:
            done = _by_step(again)
            return bool(differing(wanted, done)) or max(wanted) in done

        train(experiment, source, again, stop)
        found = _by_step(again)
        if step := differing(wanted, found):
            print(first_difference(step, wanted, found))
            phase = stage_of(experiment, step).phase
            like = abstract_state(phase.game, source, phase.flags(experiment.common), make_mesh())
            print(largest_difference(like, step, folder, again))
            return 1
    same = sorted(wanted.keys() & found.keys())
    last = wanted[same[-1]]
    print(f"identical: {len(same)} checkpoints, the last of {last['images']:,} images, digest {last['digest']}")
    return 0


def _prepare(run: Path, about: Manifest, wanted: Digests, again: RunDir) -> tuple[Experiment, Source]:
    """Builds the experiment to play in the folder `again`, and prints how its manifest differs from that of `run`."""
    settings = {name: value for name, value in about.flags().items() if name not in UNREAD}
    argv = to_argv(settings | {"run_dir": str(again.path)})
    entry = about.entry()
    build = entry.load(argv)
    parsed = parse(build, argv, "gan-jax reproduce", given=["source"])
    common = parsed.kwargs["common"]
    if common.deterministic:
        compute_repeatably()
    source = run_data(run, about, common)("train")
    experiment = build(source, **parsed.kwargs)._replace(save_at=frozenset(wanted))
    check(experiment, source)
    logged(experiment, source)  # traces the losses, which may import neighbors; the run uses the same traces
    announce(source, RunDir(run), common)
    here = manifest(entry, parsed.settings, source, parsed.files)
    for line in differences(about, here):
        print(f"changed: {line}")
    again.claim(here)
    return experiment, source


def _by_step(folder: RunDir) -> Digests:
    return {line["step"]: line for line in folder.read_digests()}


def digests(folder: RunDir, upto: int | None) -> Digests:
    """Reads the digests of a run up to `upto` images. Raises `BadInput` if there are none."""
    lines = folder.read_digests()
    if not lines:
        raise BadInput(f"{folder.path} has no digests of its checkpoints (no {folder.digests.name}): train it again")
    wanted = {line["step"]: line for line in lines if upto is None or line["images"] <= upto}
    if not wanted:
        raise BadInput(f"{folder.path} has no checkpoint before {lines[0]['images']} images: give --upto that or more")
    return wanted


def differing(wanted: Digests, found: Digests) -> int | None:
    """Returns the first step with different digests."""
    both = sorted(wanted.keys() & found.keys())
    return next((step for step in both if wanted[step]["digest"] != found[step]["digest"]), None)


def differences(there: Manifest, here: Manifest) -> list[str]:
    """Lists the differences of two manifests that may affect numbers, one line each."""

    def parts(about: Manifest) -> dict[str, Any]:
        values = about.all_code()
        for name in ("data", "versions", "commit", "machine"):
            values |= {f"{name} {key}": value for key, value in getattr(about, name).items()}
        return values

    was, now = parts(there), parts(here)
    new = here.all_code().keys() - was.keys()
    changed = [f"{name}: {was[name]}, now {now[name]}" for name in was if name in now and was[name] != now[name]]
    return changed + [f"{name}: not recorded, now {now[name]}" for name in sorted(new)]


def first_difference(step: int, wanted: Digests, found: Digests) -> str:
    """Describes where two runs diverge: the step, and the first leaf."""
    theirs, ours = wanted[step]["leaves"], found[step]["leaves"]
    leaves = sorted(name for name in theirs.keys() | ours.keys() if theirs.get(name) != ours.get(name))
    more = f" and {len(leaves) - 1} more of {len(theirs)} leaves" if len(leaves) > 1 else ""
    return f"different: first at step {step} ({wanted[step]['images']:,} images), in {leaves[0]}{more}"


def largest_difference(like: Any, step: int, folder: RunDir, again: RunDir) -> str:
    """Describes the largest difference of two runs at a step; unknown if the run no longer has that checkpoint."""
    kept = Checkpoints(folder.checkpoints)
    if step not in kept.steps():
        return f"largest difference unknown: {folder.path} keeps only the checkpoints of steps {kept.steps()}"
    theirs, ours = (Checkpoints(each.checkpoints).restore(like, step) for each in (folder, again))
    worst, where = 0.0, "the key or the step"
    for (path, a), b in zip(jax.tree_util.tree_leaves_with_path(theirs), jax.tree.leaves(ours), strict=True):
        if jnp.issubdtype(a.dtype, jnp.floating):
            apart = float(np.max(np.abs(np.asarray(a, np.float64) - np.asarray(b, np.float64)), initial=0.0))
            if not apart <= worst:
                worst, where = apart, jax.tree_util.keystr(path, simple=True, separator="/")
    return f"largest difference: {worst:.3g}, in {where}"
