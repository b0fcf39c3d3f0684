"""The manifest of a run: all that is needed to rebuild its experiment and to compare it with another run."""

import os
from collections.abc import Collection, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from gan_jax.config import user_code
from gan_jax.config.discovery import Entry, find
from gan_jax.config.experiment import RESUMABLE
from gan_jax.config.migration import upgrade
from gan_jax.data import Source, absolute_name
from gan_jax.data.modality import describe_spec
from gan_jax.data.source import fingerprint
from gan_jax.errors import BadInput
from gan_jax.runs.provenance import commit, machine, versions

CONFIGURED = {
    "x64": "JAX_ENABLE_X64",
    "prng": "JAX_DEFAULT_PRNG_IMPL",
    "threefry_partitionable": "JAX_THREEFRY_PARTITIONABLE",
}
"""Settings of JAX that decide a run's random numbers and types, and the variables that set them."""

Data = dict[str, Any]
"""Data in a manifest: its name, size, shape, classes and fingerprint, its arrays by kind, and those of its parts."""


class Manifest(NamedTuple):
    """The contents of manifest.json."""

    experiment: str
    """Absolute path of the experiment's file."""
    code: str
    """The sha256 of that file."""
    settings: dict[str, Any]
    """The value of every flag, with absolute paths of the data."""
    data: Data
    """What the run was trained on."""
    versions: dict[str, str]
    """Package versions when the run began."""
    files: dict[str, str]
    """By path, the sha256 of the user's files that the settings refer to, and of all neighbors that were imported."""
    commit: dict[str, Any]
    """The git commit of the experiment's file, and whether the tree was clean; empty outside a repository."""
    machine: dict[str, Any]
    """Python, devices, and JAX settings: XLA flags, matmul precision, PRNG."""
    row: str = ""
    """Row of the file's `PRESETS` table; empty if the file has none, and in runs of earlier releases."""

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.row or Path(self.experiment).stem

    def entry(self) -> Entry:
        """Finds the experiment in its file, or by its name if the file has moved."""
        file = Path(self.experiment)
        return find(f"{file}:{self.row}".rstrip(":") if file.is_file() else self.name)

    def flags(self) -> dict[str, Any]:
        """Returns the settings as flags of today's experiment."""
        return self.settings if self.row or not self.entry().row else upgrade(self.name, self.settings)

    def all_code(self) -> dict[str, str]:
        """Returns the sha256 of every file of the user: of the experiment, and of others by their path from its folder.

        A file outside that folder has its absolute path.
        """
        folder = Path(self.experiment).parent

        def place(file: str) -> str:
            return str(Path(file).relative_to(folder)) if Path(file).is_relative_to(folder) else file

        return {"experiment": self.code} | {place(file): sha for file, sha in self.files.items()}

    @property
    def code_digest(self) -> str:
        """The sha256 of the content of all files of the user, wherever they are."""
        return sha256("".join(sorted(self.all_code().values())).encode()).hexdigest()


def manifest(entry: Entry, settings: dict[str, Any], source: Source, files: Collection[Path]) -> Manifest:
    """Builds the manifest of a new run; `files` are the user's files that the settings refer to."""
    settings = settings | _absolute_paths(settings)
    file = entry.file.resolve()
    loaded = {str(path): sha for each in (file, *files) for path, sha in _shas(each).items()}
    code = loaded.pop(str(file))
    about = describe_data(source)
    return Manifest(str(file), code, settings, about, versions(), loaded, commit(file), machine(), entry.row)


def _shas(file: Path) -> dict[Path, str]:
    """Returns the sha256 of a file, and those of the neighbors that it has imported if it is code."""
    return user_code.shas(file) if file.suffix == ".py" else {file: user_code.sha(file)}


def schedule_images(settings: Mapping[str, Any]) -> int | None:
    """Returns the length for which the schedules of a run are made; None for a sweep that varies it.

    Runs of earlier versions do not record it: there it was the last `--images`, whatever it had been before.
    """
    return settings.get("schedule_images") or settings.get("images")


def _absolute_paths(settings: Mapping[str, Any]) -> dict[str, str]:
    """Returns the settings that are paths of data, made absolute."""
    folder, size = settings.get("data_dir"), settings.get("image_size")
    named = {name: absolute_name(settings[name], folder, size) for name in ("data", "to") if settings.get(name)}
    paths = named | {"data_dir": folder and os.path.abspath(folder)}
    return {name: path for name, path in paths.items() if path}


def describe_data(source: Source) -> Data:
    """Describes data for a manifest; reads the examples of the fingerprint."""
    return _describe_arrays(source) | {"fingerprint": fingerprint(source)}


def _describe_arrays(source: Source) -> Data:
    about = {"name": source.name, "size": source.size, "shape": list(source.shape), "classes": list(source.classes)}
    about["spec"] = describe_spec(source.spec)
    if source.labels:
        about["labels"] = {name: list(classes) for name, classes in source.labels.items()}
    return about | ({"parts": [_describe_arrays(part) for part in source.parts]} if source.parts else {})


def check_same(path: Path, there: Manifest, here: Manifest, free: Collection[str] = RESUMABLE) -> None:
    """Raises `BadInput` if two manifests are of different runs; settings in `free` may differ."""
    if there.name != here.name:
        raise BadInput(f"{path} holds a run of {there.name}, not of {here.name}: choose another --run-dir")
    check_code(path, there, here)
    if "fingerprint" in there.data.keys() & here.data.keys():
        free = {*free, "data", "to"}  # data that was moved is the same
    # A flag in only one of them was added by a later version, with the earlier behavior as its default.
    before, after = (_comparable(about.settings) for about in (there, here))
    for name in sorted((before.keys() & after.keys()) - set(free)):
        was, now = before[name], after[name]
        if was != now:
            flag = name.replace("_", "-")
            raise BadInput(
                f"{path} holds a run with --{flag} {was}, not {now}: repeat its settings to resume it, "
                "or choose another --run-dir"
            )
    for name, variable in CONFIGURED.items():
        was, now = (about.machine.get(name) for about in (there, here))
        if None not in (was, now) and was != now:
            raise BadInput(f"{path} was trained with {variable}={was}, not {now}: set that to resume it")
    check_data(path, (there.settings.get("data", ""), there.data), (here.settings.get("data", ""), here.data))


def _comparable(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns settings whose equality means the same run: with absolute paths, and with the length of the schedules."""
    return {**settings, **_absolute_paths(settings), "schedule_images": schedule_images(settings)}


def check_code(path: Path, there: Manifest, here: Manifest) -> None:
    """Raises `BadInput` if a file of the user has changed.

    A folder that was moved as a whole is the same. A neighbor that only `there` has imported, because a function
    imports it, is compared as it is now.
    """
    now, folder = here.all_code(), Path(here.experiment).parent
    for place, before in there.all_code().items():
        file = Path(here.experiment) if place == "experiment" else folder / place
        after = now.get(place) or (user_code.sha(file) if file.is_file() else before)
        if after == before:
            continue
        if there.experiment != here.experiment and Path(there.experiment).is_file():
            both = f"a run of {there.experiment}, not of {here.experiment}"
            raise BadInput(f"{path} holds {both}: choose another --run-dir")
        raise BadInput(
            f"{path} holds a run of an earlier version of {file}: restore that version, or choose another --run-dir"
        )


def check_data(path: Path, there: tuple[str, Data], here: tuple[str, Data]) -> None:
    """Raises `BadInput` unless data is what the run in `path` was trained on; each has its name and description.

    The fingerprint decides, wherever the data is and whatever it is called. Runs of earlier versions have none.
    """
    was, now = there[1], here[1]
    shared = was.keys() & now.keys()
    if any(was[part] != now[part] for part in (shared - {"name"} if "fingerprint" in shared else shared)):
        both = f"{_data_words(*there)}, not on {_data_words(*here)}"
        raise BadInput(f"{path} was trained on {both}: give a run its own data, or begin another run")


def _data_words(name: str, data: Data) -> str:
    """Formats the description of data on one line."""
    words = {
        "size": lambda size: f"{size:,} examples",
        "shape": lambda shape: "x".join(map(str, shape)),
        "classes": lambda classes: f"{len(classes)} classes",
        "fingerprint": lambda sha: f"fingerprint {sha[:12]}",
    }
    return f"{name or data.get('name', '')} ({', '.join(words[part](data[part]) for part in words if data.get(part))})"
