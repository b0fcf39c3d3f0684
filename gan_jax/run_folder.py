"""A run on disk: what it is (`manifest.json`), what happened (`metrics.jsonl`), and where everything else lies."""

import importlib.metadata
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from gan_jax.errors import BadInput
from gan_jax.experiment import DURATION_AND_PLACE

Record = dict[str, int | float]
"""A logged chunk: `step`, `images`, `seconds` and the mean of every metric."""


class Manifest(NamedTuple):
    """What a run is: enough to build its experiment again, without its data."""

    experiment: str
    """Path of the experiment's file."""
    settings: dict[str, Any]
    """Every flag, resolved."""
    data: dict[str, Any]
    """The source's name, size, shape and classes."""
    versions: dict[str, str]
    """Of the packages that the run's numbers come from."""


class RunFolder:
    """The paths of one run."""

    def __init__(self, path: Path):
        self.path = path
        self.manifest = path / "manifest.json"
        self.metrics = path / "metrics.jsonl"
        self.samples = path / "samples"
        self.curves = path / "curves.png"
        self.checkpoints = path / "checkpoints"
        self.tensorboard = path / "tensorboard"

    def claim(self, manifest: Manifest) -> None:
        """Makes the folder this run's, or sees that it already is.

        Raises:
            BadInput: the folder holds another run, or something else altogether. Nothing is changed then.
        """
        if self.manifest.exists():
            self._check_same(self.read(), manifest)
        elif self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise BadInput(f"{self.path} exists and is not a run: choose another --run-dir")
        self.samples.mkdir(parents=True, exist_ok=True)
        write_whole(self.manifest, json.dumps(manifest._asdict(), indent=2) + "\n")

    def read(self) -> Manifest:
        """What the run is. Raises `BadInput` where there is no run, or its manifest is broken."""
        try:
            return Manifest(**json.loads(self.manifest.read_text()))
        except FileNotFoundError:
            raise BadInput(f"{self.path} is not a run (no manifest.json): give the folder that train wrote") from None
        except (ValueError, TypeError, OSError) as error:
            raise BadInput(f"{self.manifest} cannot be read ({error}): restore it, or train again") from None

    def records(self) -> list[Record]:
        """The logged chunks, in order; a last line that a kill cut short is left out."""
        if not self.metrics.exists():
            return []
        lines = self.metrics.read_text().split("\n")
        return [json.loads(line) for line in lines[:-1]]

    def rewind(self, step: int) -> list[Record]:
        """Forgets what was logged after `step`, which a resumed run plays again; returns what is left."""
        kept = [record for record in self.records() if record["step"] <= step]
        write_whole(self.metrics, "".join(json.dumps(record) + "\n" for record in kept))
        return kept

    def _check_same(self, there: Manifest, here: Manifest) -> None:
        if Path(there.experiment).stem != Path(here.experiment).stem:
            raise BadInput(
                f"{self.path} holds a run of {Path(there.experiment).stem}, not of {Path(here.experiment).stem}: "
                "choose another --run-dir"
            )
        for name in sorted((there.settings.keys() | here.settings.keys()) - DURATION_AND_PLACE):
            was, now = there.settings.get(name), here.settings.get(name)
            if was != now:
                flag = name.replace("_", "-")
                raise BadInput(
                    f"{self.path} holds a run with --{flag} {was}, not {now}: repeat its settings to resume it, "
                    "or choose another --run-dir"
                )
        if there.data != here.data:
            raise BadInput(f"{self.path} was trained on {there.data}, not on {here.data}: choose another --run-dir")


def versions() -> dict[str, str]:
    """The versions of the packages that decide a run's numbers."""
    return {name: importlib.metadata.version(name) for name in ("gan-jax", "jax", "jaxlib", "flax", "optax", "numpy")}


def write_whole(path: Path, text: str) -> None:
    """Writes a file that is either all there or as it was before."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text)
    os.replace(temporary, path)


def plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as JSON knows them, so that what is compared with a manifest is what was written there."""
    return json.loads(json.dumps(settings, default=str))
