"""A run on disk: what it is (`manifest.json`), what happened (`metrics.jsonl`), and where everything else lies.

The manifest is written before the first step and never again: every later command adds a line to `resumes.jsonl`. What
the state was at every checkpoint, long gone ones too, `digests.jsonl` says.
"""

import functools
import json
import operator
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gan_jax.config.experiment import FOUND_OUT
from gan_jax.errors import BadInput
from gan_jax.runs.digest import Digests
from gan_jax.runs.files import CLOCK, is_a, read_jsonl, write_atomic, write_jsonl
from gan_jax.runs.lock import LOCK_FILE
from gan_jax.runs.manifest import Manifest, check_same

Record = dict[str, int | float | list[float]]
"""A logged chunk: `step`, `images`, `seconds` and the mean of every metric, or many runs' means."""

CURE = "restore or delete it"
"""What helps where a file of a run is damaged."""


ROLLBACK = {"step": int, "to": int, "moves": list}
"""What is said of numbers that were not finite: in which step, whose, and to which step the run went back."""

DIGEST = {"step": int, "images": int, "digest": str, "leaves": dict}
"""What is said of the state at a step that was saved, and of what type."""


class RunDir:
    """The paths of one run."""

    cure = CURE
    """What helps where the logged chunks are damaged."""

    def __init__(self, path: Path):
        self.path = path
        self.manifest = path / "manifest.json"
        self.resumes = path / "resumes.jsonl"
        self.metrics = path / "metrics.jsonl"
        self.digests = path / "digests.jsonl"
        self.rollbacks = path / "rollbacks.jsonl"
        self.health = path / "health.jsonl"
        self.samples = path / "samples"
        self.curves = path / "curves.png"
        self.scores = path / "scores.png"
        self.protocols = path / "protocols.json"
        self.animation = path / "samples.gif"
        self.checkpoints = path / "checkpoints"
        self.tensorboard = path / "tensorboard"
        self.compared = path / "programs"  # only where runs were compared

    def claim(self, manifest: Manifest) -> None:
        """Makes the folder this run's, or sees that it already is, and notes that it goes on.

        Raises:
            BadInput: the folder holds another run, or something else altogether. Nothing is changed then.
        """
        if self.compared.exists():
            raise BadInput(f"{self.path} holds a comparison, not a single run: choose another --run-dir")
        if self.manifest.exists():
            there = self.read()
            check_same(self.path, there, manifest)
            longer = manifest.settings["images"] > there.settings["images"]
            free = manifest.settings.keys() if longer else FOUND_OUT & manifest.settings.keys()
            changed = {name: manifest.settings[name] for name in sorted(free)}
            changed = {name: value for name, value in changed.items() if there.settings.get(name) != value}
            now = {"versions": manifest.versions, "commit": manifest.commit, "machine": manifest.machine}
            write_jsonl(
                self.resumes, [*read_jsonl(self.resumes, {"settings": dict}, CURE), {"settings": changed, **now}]
            )
        elif self.path.exists() and not self._is_empty():
            raise BadInput(f"{self.path} exists and is not a run: choose another --run-dir")
        else:
            self._write(manifest)

    def read(self) -> Manifest:
        """What the run is, under the settings of its last command.

        Raises:
            BadInput: there is no run, or its manifest or what was added to it is broken.
        """
        try:
            # Earlier runs say neither of these.
            parts = {"files": {}, "commit": {}, "machine": {}, **json.loads(self.manifest.read_text())}
            about = Manifest(**parts)
            if not all(map(isinstance, about, (str, str, dict, dict, dict, dict, dict, dict))):
                raise TypeError("a part of it is of another type")
            changes = [resume["settings"] for resume in read_jsonl(self.resumes, {"settings": dict}, CURE)]
            return about._replace(settings=functools.reduce(operator.or_, changes, about.settings))
        except FileNotFoundError:
            raise BadInput(f"{self.path} is not a run (no manifest.json): give the folder that train wrote") from None
        except (ValueError, TypeError, OSError) as error:
            raise BadInput(f"{self.manifest} cannot be read ({error}): restore it, or train again") from None

    def records(self) -> list[Record]:
        """The logged chunks, in order; a last line that a kill cut short is left out."""
        records = read_jsonl(self.metrics, CLOCK, self.cure)
        values = (value for record in records for value in record.values())
        if not all(
            is_a(number, float) for value in values for number in (value if isinstance(value, list) else [value])
        ):
            raise BadInput(f"{self.metrics} is damaged (a value is no number): {self.cure}")
        return records

    def rewind(self, step: int) -> list[Record]:
        """Forgets what was logged after `step`, which a resumed run plays again; returns what is left."""
        kept = [record for record in self.records() if record["step"] <= step]
        write_jsonl(self.metrics, kept)
        if rollbacks := self.all_rollbacks():
            write_jsonl(self.rollbacks, [each for each in rollbacks if each["to"] <= step])
        return kept

    def rolled_back(self, step: int, to: int, moves: Sequence[str]) -> None:
        """Notes that the numbers of `moves` were not finite in `step`, and that the run goes on from `to`."""
        write_jsonl(self.rollbacks, [*self.all_rollbacks(), {"step": step, "to": to, "moves": list(moves)}])

    def all_rollbacks(self) -> list[dict[str, Any]]:
        """Every time that the run went back because numbers were not finite: `step`, `to`, and whose, `moves`."""
        return read_jsonl(self.rollbacks, ROLLBACK, CURE)

    def digested(self, step: int, images: int, digests: Digests) -> None:
        """Notes what the state is at a step that is saved."""
        before = [line for line in self.all_digests() if line["step"] < step]
        now = {"step": step, "images": images, "digest": digests.state, "leaves": digests.leaves}
        write_jsonl(self.digests, [*before, now])

    def all_digests(self) -> list[dict[str, Any]]:
        """What the state was at every step that was saved: `step`, `images`, `digest`, and that of all `leaves`."""
        return read_jsonl(self.digests, DIGEST, CURE)

    def picture(self, images: int) -> Path:
        """The sample grid after so many images."""
        return self.samples / f"{images:010d}.png"

    def _write(self, manifest: Manifest) -> None:
        write_atomic(self.manifest, (json.dumps(manifest._asdict(), indent=2) + "\n").encode())

    def _is_empty(self) -> bool:
        """Whether the folder holds nothing but a lock file and what a run killed while it wrote its manifest left."""
        return self.path.is_dir() and all(
            file.name == LOCK_FILE or file.name.endswith(".tmp") for file in self.path.iterdir()
        )
