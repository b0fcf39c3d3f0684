"""What a run is, in `manifest.json`: enough to build it again, and to see whether another is the same."""

from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

from gan_jax.config.experiment import DURATION_AND_PLACE
from gan_jax.config.user_code import sha
from gan_jax.data import Source
from gan_jax.data.source import fingerprint
from gan_jax.errors import BadInput
from gan_jax.runs.provenance import commit, machine, versions


class Manifest(NamedTuple):
    """What a run is: enough to build its experiment again, without its data."""

    experiment: str
    """Path of the experiment's file, absolute."""
    code: str
    """The sha256 of that file."""
    settings: dict[str, Any]
    """Every flag, resolved."""
    data: dict[str, Any]
    """The source's name, size, shape, classes and fingerprint."""
    versions: dict[str, str]
    """Of the packages that the run's numbers come from, when it began."""
    files: dict[str, str]
    """The sha256 of the user's files that the settings name, by their path."""
    commit: dict[str, Any]
    """The git commit of the experiment's file, and whether the tree was clean; empty outside of a repository."""
    machine: dict[str, Any]
    """Python, the devices, and what JAX was told of how to compute: XLA flags, matmul precision, PRNG."""


def manifest(file: Path, settings: dict[str, Any], source: Source, files: Collection[Path]) -> Manifest:
    """What a run of an experiment's file with these settings is; `files` are the user's that the settings name."""
    about = {"name": source.name, "size": source.size, "shape": list(source.shape), "classes": list(source.classes)}
    about["fingerprint"] = fingerprint(source)
    shas = {str(each): sha(each) for each in files}
    return Manifest(str(file.resolve()), sha(file), settings, about, versions(), shas, commit(file), machine())


def check_same(path: Path, there: Manifest, here: Manifest, free: Collection[str] = DURATION_AND_PLACE) -> None:
    """Raises `BadInput` where the folder `path` is another's; settings that are `free` may differ."""
    was, now = Path(there.experiment), Path(here.experiment)
    if was.stem != now.stem:
        raise BadInput(f"{path} holds a run of {was.stem}, not of {now.stem}: choose another --run-dir")
    code = {str(was): (there.code, here.code)} | {
        file: (there.files[file], here.files[file]) for file in there.files.keys() & here.files.keys()
    }
    for file, (before, after) in code.items():
        if before != after:
            raise BadInput(
                f"{path} holds a run of {file} as it was before it was edited: restore that, "
                "or choose another --run-dir"
            )
    # A flag that only one of them knows came with another version, and its default is what there was before.
    for name in sorted((there.settings.keys() & here.settings.keys()) - set(free)):
        was, now = there.settings[name], here.settings[name]
        if was != now:
            flag = name.replace("_", "-")
            raise BadInput(
                f"{path} holds a run with --{flag} {was}, not {now}: repeat its settings to resume it, "
                "or choose another --run-dir"
            )
    # Earlier runs have no fingerprint.
    if any(there.data[name] != here.data[name] for name in there.data.keys() & here.data.keys()):
        raise BadInput(f"{path} was trained on {there.data}, not on {here.data}: choose another --run-dir")
