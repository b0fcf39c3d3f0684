"""A comparison on disk: a manifest, a table in four forms, and a folder for every program that has been trained."""

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
"""The flags that do not decide what is compared: how often, where, and the seed, which every run has of its own.

How runs are judged does decide, where they are: one table has scores of one protocol."""

Run = tuple[str, int]
"""What a trained lane is: its settings, as `identity` tells them, and its seed."""


def identity(settings: Mapping[str, Any], exact: bool) -> str:
    """What a run's settings are, but for its seed: runs of one identity and seed need not be trained twice."""
    left_out = FREE if settings.get("evaluate") else FREE | flags_affecting("evaluation")
    kept = {name: value for name, value in settings.items() if name not in left_out}
    return json.dumps([kept, exact], sort_keys=True)


class About(NamedTuple):
    """What a program is: the settings of its combinations, its seeds, and the device that it began on."""

    settings: Sequence[Mapping[str, Any]]
    seeds: Sequence[int]
    exact: bool
    device: str

    @property
    def lanes(self) -> list[Run]:
        """What every lane is."""
        return [(identity(settings, self.exact), seed) for settings in self.settings for seed in self.seeds]


class ProgramFolder(RunDir):
    """The paths of one program; its records hold a list of numbers, one a lane, for every metric."""

    cure = "delete its folder to train it again"

    def __init__(self, path: Path):
        super().__init__(path)
        self.metrics = path / "records.jsonl"
        self.about = path / "program.json"

    def preview(self, lane: int) -> Path:
        """The picture of a lane's last state."""
        return self.path / "portraits" / f"{lane:03d}.png"


class SweepDir(RunDir):
    """The paths of one comparison."""

    def __init__(self, path: Path):
        super().__init__(path)
        self.sheet = path / "samples.png"

    def table(self, form: str) -> Path:
        """The table as `md`, `csv` or `json`."""
        return self.path / f"table.{form}"

    def programs(self) -> list[About]:
        """The programs that were begun. Raises `BadInput` where a file does not say what one is."""
        return [_about(file) for file in sorted(self.compared.glob("*/program.json"))]

    def place(self, about: About) -> Path:
        """The folder of a program, the same for the same lanes."""
        name = sha256(json.dumps(about.lanes).encode()).hexdigest()[:12]
        return self.compared / name

    def begin(self, about: About) -> None:
        """Says what a program is, before its first step."""
        file = ProgramFolder(self.place(about)).about
        write_atomic(file, (json.dumps(about._asdict(), indent=2) + "\n").encode())

    def check(self, here: Manifest) -> Manifest:
        """The manifest to be kept, of settings (and the data) that no command has varied; nothing is changed.

        Raises:
            BadInput: the folder holds something else, or a comparison under another setting or of an edited file.
        """
        if self.checkpoints.exists():
            raise BadInput(f"{self.path} holds a single run, not a comparison: choose another --run-dir")
        if not self.manifest.exists():
            if self.path.exists() and not self._is_empty():
                raise BadInput(f"{self.path} exists and is not a comparison: choose another --run-dir")
            return here
        there = self.read()
        fixed = there.settings.keys() & here.settings.keys()
        one = there.data and here.data
        before, now = (
            m._replace(settings={n: m.settings[n] for n in sorted(fixed)}, data=m.data if one else {})
            for m in (there, here)
        )
        check_same(self.path, before, now, FREE)
        return before._replace(files=there.files | here.files)

    def keep(self, manifest: Manifest) -> None:
        """Makes the folder this comparison's."""
        self._write(manifest)


def _about(file: Path) -> About:
    try:
        about = About(**json.loads(file.read_text()))
        hash(tuple(about.lanes))
        return about
    except (ValueError, TypeError, AttributeError) as error:
        raise BadInput(f"{file} is damaged ({error}): {ProgramFolder.cure}") from None
