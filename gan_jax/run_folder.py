"""A run on disk: what it is (`manifest.json`), what happened (`metrics.jsonl`), and where everything else lies."""

import importlib.metadata
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

from gan_jax.data import Source
from gan_jax.errors import BadInput
from gan_jax.experiment import DURATION_AND_PLACE, JUDGED
from gan_jax.user_file import sha
from gan_jax.whole_file import write_whole

Record = dict[str, int | float | list[float]]
"""A logged chunk: `step`, `images`, `seconds` and the mean of every metric, or many runs' means."""

FOUND_OUT = JUDGED | {"best", "keep"}
"""Settings by which a run is read; those of the last command hold."""

CLOCK = frozenset(("step", "images", "seconds"))
"""What every record says, whatever else was logged."""


class Manifest(NamedTuple):
    """What a run is: enough to build its experiment again, without its data."""

    experiment: str
    """Path of the experiment's file, absolute."""
    code: str
    """The sha256 of that file."""
    settings: dict[str, Any]
    """Every flag, resolved."""
    data: dict[str, Any]
    """The source's name, size, shape and classes."""
    versions: dict[str, str]
    """Of the packages that the run's numbers come from, when it began."""
    files: dict[str, str]
    """The sha256 of the user's files that the settings name, by their path."""


class RunFolder:
    """The paths of one run."""

    cure = "restore or delete it"
    """What helps where the logged chunks are damaged."""

    def __init__(self, path: Path):
        self.path = path
        self.manifest = path / "manifest.json"
        self.metrics = path / "metrics.jsonl"
        self.samples = path / "samples"
        self.curves = path / "curves.png"
        self.scores = path / "scores.png"
        self.protocols = path / "protocols.json"
        self.animation = path / "samples.gif"
        self.checkpoints = path / "checkpoints"
        self.tensorboard = path / "tensorboard"

    def claim(self, manifest: Manifest) -> None:
        """Makes the folder this run's, or sees that it already is.

        Raises:
            BadInput: the folder holds another run, or something else altogether. Nothing is changed then.
        """
        if self.manifest.exists():
            there = self.read()
            check_same(self.path, there, manifest)
            longer = manifest.settings["images"] > there.settings["images"]
            found_out = {name: manifest.settings[name] for name in FOUND_OUT & manifest.settings.keys()}
            settings = manifest.settings if longer else there.settings | found_out
            if settings != there.settings:
                self._write(there._replace(settings=settings))
        elif self.path.exists() and not self._is_empty():
            raise BadInput(f"{self.path} exists and is not a run: choose another --run-dir")
        else:
            self._write(manifest)

    def read(self) -> Manifest:
        """What the run is. Raises `BadInput` where there is no run, or its manifest is broken."""
        try:
            about = Manifest(**{"files": {}, **json.loads(self.manifest.read_text())})  # earlier runs named none
            if not all(map(isinstance, about, (str, str, dict, dict, dict, dict))):
                raise TypeError("a part of it is of another type")
            return about
        except FileNotFoundError:
            raise BadInput(f"{self.path} is not a run (no manifest.json): give the folder that train wrote") from None
        except (ValueError, TypeError, OSError) as error:
            raise BadInput(f"{self.manifest} cannot be read ({error}): restore it, or train again") from None

    def records(self) -> list[Record]:
        """The logged chunks, in order; a last line that a kill cut short is left out."""
        if not self.metrics.exists():
            return []
        try:
            records = [json.loads(line) for line in self.metrics.read_text().split("\n")[:-1]]
            if not all(isinstance(record, dict) and record.keys() >= CLOCK for record in records):
                raise ValueError(f"a line says not {', '.join(sorted(CLOCK))}")
            return records
        except ValueError as error:
            raise BadInput(f"{self.metrics} is damaged ({error}): {self.cure}") from None

    def rewind(self, step: int) -> list[Record]:
        """Forgets what was logged after `step`, which a resumed run plays again; returns what is left."""
        kept = [record for record in self.records() if record["step"] <= step]
        write_whole(self.metrics, "".join(json.dumps(record) + "\n" for record in kept).encode())
        return kept

    def picture(self, images: int) -> Path:
        """The sample grid after so many images."""
        return self.samples / f"{images:010d}.png"

    def _write(self, manifest: Manifest) -> None:
        write_whole(self.manifest, (json.dumps(manifest._asdict(), indent=2) + "\n").encode())

    def _is_empty(self) -> bool:
        """Whether there is nothing, or only what a run leaves that is killed while it writes its manifest."""
        return self.path.is_dir() and all(file.name.endswith(".tmp") for file in self.path.iterdir())


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
    for name in sorted((there.settings.keys() | here.settings.keys()) - set(free)):
        was, now = there.settings.get(name), here.settings.get(name)
        if was != now:
            flag = name.replace("_", "-")
            raise BadInput(
                f"{path} holds a run with --{flag} {was}, not {now}: repeat its settings to resume it, "
                "or choose another --run-dir"
            )
    if there.data != here.data:
        raise BadInput(f"{path} was trained on {there.data}, not on {here.data}: choose another --run-dir")


def manifest(file: Path, settings: dict[str, Any], source: Source, files: Collection[Path]) -> Manifest:
    """What a run of an experiment's file with these settings is; `files` are the user's that the settings name."""
    about = {"name": source.name, "size": source.size, "shape": list(source.shape), "classes": list(source.classes)}
    return Manifest(str(file.resolve()), sha(file), settings, about, versions(), {str(f): sha(f) for f in files})


def versions() -> dict[str, str]:
    """The versions of the packages that decide a run's numbers."""
    return {name: importlib.metadata.version(name) for name in ("gan-jax", "jax", "jaxlib", "flax", "optax", "numpy")}
