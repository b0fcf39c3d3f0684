"""A sweep on disk: a manifest, the table in three formats, a picture, and one folder per trained program."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from gan_jax.config.experiment import flags_affecting
from gan_jax.errors import BadInput
from gan_jax.runs.files import write_atomic
from gan_jax.runs.manifest import Manifest, check_same
from gan_jax.runs.run_dir import RunDir

FREE = flags_affecting("place", "logging", "retention") | {"seed"}
"""Flags that may differ between the commands of a sweep: places, logging, retention, and the seed.

Flags of the evaluation may differ only if runs are not evaluated, because a table has scores of one protocol."""

Run = tuple[str, int]
"""A trained run: the `identity` of its settings, and its seed."""


def identity(settings: Mapping[str, Any], exact: bool) -> str:
    """Serializes the settings that affect training, without the seed.

    The length of the schedules counts where it is another than that of the run: a run has one name, in sweeps of
    earlier versions as well.
    """
    left_out = FREE if settings.get("evaluate") else FREE | flags_affecting("evaluation")
    if settings.get("schedule_images") in (None, settings.get("images")):
        left_out |= {"schedule_images"}
    kept = {name: value for name, value in settings.items() if name not in left_out}
    return json.dumps([kept, exact], sort_keys=True)


class About(NamedTuple):
    """The content of a program: the settings of its combinations, its seeds, the device it began on, and its data."""

    settings: Sequence[Mapping[str, Any]]
    seeds: Sequence[int]
    exact: bool
    device: str
    data: str = ""
    """The fingerprint of the data; empty in sweeps of earlier versions."""

    @property
    def runs(self) -> list[Run]:
        """The runs, in the order of the program."""
        return [(identity(settings, self.exact), seed) for settings in self.settings for seed in self.seeds]


class ProgramFolder(RunDir):
    """Paths of one program; its records hold a list of numbers, one per run, for every metric."""

    cure = "delete its folder to train it again"

    def __init__(self, path: Path):
        super().__init__(path)
        self.metrics = path / "records.jsonl"
        self.about = path / "program.json"

    def preview(self, index: int) -> Path:
        """Returns the path of a run's final preview."""
        return self.path / "previews" / f"{index:03d}.png"


class SweepDir(RunDir):
    """Paths of one sweep."""

    def __init__(self, path: Path):
        super().__init__(path)
        self.sheet = path / "samples.png"

    def table(self, form: str) -> Path:
        """Returns the path of the table as `md`, `csv` or `json`."""
        return self.path / f"table.{form}"

    def programs(self) -> list[About]:
        """Reads the programs that were begun. Raises `BadInput` if a file is damaged."""
        return [_about(file) for file in sorted(self.compared.glob("*/program.json"))]

    def place(self, about: About) -> Path:
        """Returns the folder of a program, determined by its runs."""
        name = sha256(json.dumps(about.runs).encode()).hexdigest()[:12]
        return self.compared / name

    def begin(self, about: About) -> None:
        """Writes the content of a program, before its first step."""
        file = ProgramFolder(self.place(about)).about
        write_atomic(file, (json.dumps(about._asdict(), indent=2) + "\n").encode())

    def check(self, here: Manifest) -> Manifest:
        """Returns the manifest to keep: the settings (and data) that no command has varied. Writes nothing.

        Raises:
            BadInput: the folder holds other files, or a sweep with other settings or of an edited file.
        """
        if self.checkpoints.exists():
            raise BadInput(f"{self.path} holds a single run, not a sweep: choose another --run-dir")
        if not self.manifest.exists():
            if self.path.exists() and not self._is_empty():
                raise BadInput(f"{self.path} exists and is not a sweep: choose another --run-dir")
            return here
        there = self.read()
        fixed = there.settings.keys() & here.settings.keys()
        one = there.data and here.data
        used = {file: sha for file, sha in there.files.items() if file in here.files}
        before, now = (
            m._replace(settings={n: m.settings[n] for n in sorted(fixed)}, data=m.data if one else {}, files=files)
            for m, files in ((there, used), (here, here.files))
        )
        check_same(self.path, before, now, FREE)
        return before._replace(files=there.files | here.files)

    def keep(self, manifest: Manifest) -> None:
        """Writes the manifest."""
        self._write(manifest)


def _about(file: Path) -> About:
    try:
        about = About(**json.loads(file.read_text()))
        hash(tuple(about.runs))
        return about
    except (ValueError, TypeError, AttributeError) as error:
        raise BadInput(f"{file} is damaged ({error}): {ProgramFolder.cure}") from None
