"""The folder of a run: its manifest, logs, digests, and the paths of all other files.

`manifest.json` is written once, before the first step; every later command adds a line to `resumes.jsonl`.
`digests.jsonl` keeps the digest of every checkpoint, deleted ones included.
"""

import functools
import itertools
import json
import operator
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gan_jax.config.experiment import RESUMABLE, RunConfig, flags_affecting
from gan_jax.errors import BadInput
from gan_jax.runs.digest import Digests
from gan_jax.runs.files import CLOCK, append_jsonl, is_a, read_jsonl, write_atomic, write_jsonl
from gan_jax.runs.lock import LOCK_FILE
from gan_jax.runs.manifest import Manifest, check_same, schedule_images

Record = dict[str, int | float | list[float]]
"""A logged chunk: `step`, `images`, `seconds` and the mean of every metric, of one run or a list of many."""

CURE = "restore or delete it"
"""Advice on a damaged file of a run, for error messages."""

ROLLBACK = {"step": int, "to": int, "moves": list}
"""Fields of a rollback, and their types: the step that was not finite, the step restored, the moves."""

DIGEST = {"step": int, "images": int, "digest": str, "leaves": dict}
"""Fields of the digests of a checkpoint, and their types."""


def _rename(record: Record) -> Record:
    """Gives the metrics of a record of 0.1.0 their present names.

    `reverse_kl` was the score of the modes of points if `high_quality` was beside it, and else of the classes of
    images. A user may log scores of these names, so a record must have all that 0.1.0 logged beside them.
    """
    new = {}
    if record.keys() >= {"modes", "high_quality"}:
        new["reverse_kl"] = "reverse_kl_modes"
    elif not isinstance(record.get("modes", []), list):
        new["reverse_kl"] = "reverse_kl_classes"
    if not isinstance(record.get("diversity"), list):  # the runs of a sweep did not log it
        new["diversity"] = "diversity_ratio"
    return {(name if new.get(name) in record else new.get(name, name)): value for name, value in record.items()}


class RunDir:
    """The paths of one run."""

    cure = CURE
    """Advice on damaged records, for error messages."""

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
        self.directions = path / "directions"
        self.compared = path / "programs"  # of sweeps only

    def claim(self, manifest: Manifest) -> None:
        """Writes the manifest of a new run; for the same run, checks the settings and records that it is resumed.

        Raises:
            BadInput: the folder holds another run or other files; nothing is written.
        """
        if self.compared.exists():
            raise BadInput(f"{self.path} holds a sweep, not a single run: choose another --run-dir")
        if self.manifest.exists():
            self._append_resume(manifest)
        elif self.path.exists() and not self._is_empty():
            raise BadInput(f"{self.path} exists and is not a run: choose another --run-dir")
        else:
            self._write(manifest)

    def _append_resume(self, manifest: Manifest) -> None:
        """Records the settings that a later command changes: the place of moved data, all if it prolongs the run.

        Without a checkpoint the run begins anew: all settings are recorded, and it may have other schedules.
        """
        there, saved = self.read(), self._has_checkpoints()
        # Data that could not be read may have been repaired since.
        begun = there if saved else there._replace(data=manifest.data, machine=manifest.machine)
        check_same(self.path, begun, manifest, RESUMABLE if saved else RESUMABLE | {"schedule_images"})
        if begun != there:
            self._write(begun)
        anew = not saved or manifest.settings["images"] > there.settings["images"]
        free = (
            manifest.settings.keys()
            if anew
            else flags_affecting("retention", "evaluation") | {"data", "to", "data_dir"}
        )
        changed = {name: manifest.settings[name] for name in sorted(free & manifest.settings.keys())}
        changed = {name: value for name, value in changed.items() if there.settings.get(name) != value}
        now = {"versions": manifest.versions, "commit": manifest.commit, "machine": manifest.machine}
        write_jsonl(self.resumes, [*self._resumes(), {"settings": changed, **now}])

    def _resumes(self) -> list[dict[str, Any]]:
        return read_jsonl(self.resumes, {"settings": dict}, CURE)

    def _changes(self) -> list[dict[str, Any]]:
        """Reads the settings that later commands have changed."""
        return [resume["settings"] for resume in self._resumes()]

    def read(self) -> Manifest:
        """Reads the manifest, with the settings of the last command.

        Raises:
            BadInput: there is no run, or a file is damaged.
        """
        try:
            # Missing in runs of earlier versions.
            parts = {"files": {}, "commit": {}, "machine": {}, "row": "", **json.loads(self.manifest.read_text())}
            about = Manifest(**parts)
            if not all(map(isinstance, about, (str, str, dict, dict, dict, dict, dict, dict, str))):
                raise TypeError("a field has the wrong type")
            return about._replace(settings=functools.reduce(operator.or_, self._changes(), about.settings))
        except FileNotFoundError:
            raise BadInput(f"{self.path} is not a run (no manifest.json): give the folder that train wrote") from None
        except (ValueError, TypeError, OSError) as error:
            raise BadInput(f"{self.manifest} cannot be read ({error}): restore it, or train again") from None

    def schedule_images(self) -> int | None:
        """Returns the length for which the schedules of the run are made; None if no command has saved a state yet."""
        if not self.manifest.exists() or not self._has_checkpoints():
            return None
        length = schedule_images(self.read().settings)
        if not is_a(length, int):
            raise BadInput(f"{self.manifest} cannot be read (images is no number): restore it, or train again")
        return length

    def describe_schedules(self, common: RunConfig) -> str:
        """Describes in one line the schedules of a run of another length than theirs; otherwise empty."""
        length, parts = common.schedule_images or common.images, []
        if common.images > length:
            held = f"until {common.images:,} they hold their last value (formulas of your own must do so themselves)"
            parts = [f"{held}, and the last phase continues"]
        elif common.images < length:
            parts = [f"the run ends after {common.images:,}"]
        if self._made_longer_before():
            parts += ["an earlier version made the run longer, and may have had others until then"]
        return "; ".join([f"made for {length:,} images (--schedule-images)", *parts]) if parts else ""

    def _made_longer_before(self) -> bool:
        """Whether a version that did not record the length of the schedules made the run longer."""
        resumes = itertools.takewhile(lambda settings: "schedule_images" not in settings, self._changes())
        begun = json.loads(self.manifest.read_text())["settings"]
        return "schedule_images" not in begun and any("images" in settings for settings in resumes)

    def records(self) -> list[Record]:
        """Reads the logged chunks, in order."""
        records = read_jsonl(self.metrics, CLOCK, self.cure)
        values = (value for record in records for value in record.values())
        if not all(
            is_a(number, float) for value in values for number in (value if isinstance(value, list) else [value])
        ):
            raise BadInput(f"{self.metrics} is damaged (a value is not a number): {self.cure}")
        return list(map(_rename, records))

    def rewind(self, step: int) -> list[Record]:
        """Deletes all records after `step`, because a resumed run repeats its steps; returns the remaining records.

        Rewrites all files, because a new line must not be appended to one that a kill cut short.
        """
        kept = [record for record in self.records() if record["step"] <= step]
        write_jsonl(self.metrics, kept)
        for file, lines, at in (
            (self.digests, self.read_digests(), "step"),
            (self.rollbacks, self.read_rollbacks(), "to"),
        ):
            if file.exists():
                write_jsonl(file, [line for line in lines if line[at] <= step])
        return kept

    def append_rollback(self, step: int, to: int, moves: Sequence[str]) -> None:
        """Records that `moves` were not finite in `step`, and that the run returned to step `to`."""
        append_jsonl(self.rollbacks, {"step": step, "to": to, "moves": list(moves)})

    def read_rollbacks(self) -> list[dict[str, Any]]:
        """Reads all rollbacks: `step`, `to`, `moves`."""
        return read_jsonl(self.rollbacks, ROLLBACK, CURE)

    def append_digest(self, step: int, images: int, digests: Digests) -> None:
        """Records the digests of a saved state."""
        append_jsonl(self.digests, {"step": step, "images": images, "digest": digests.state, "leaves": digests.leaves})

    def read_digests(self) -> list[dict[str, Any]]:
        """Reads the digests of all saved states: `step`, `images`, `digest` and, per leaf, `leaves`."""
        return read_jsonl(self.digests, DIGEST, CURE)

    def identity(self) -> str:
        """Returns the digest of the first saved state: the same however long the run is, another for any other run."""
        return next((line["digest"] for line in self.read_digests()), "")

    def preview(self, images: int) -> Path:
        """Returns the path of the preview after `images` images."""
        return self.samples / f"{images:010d}.png"

    def _write(self, manifest: Manifest) -> None:
        write_atomic(self.manifest, (json.dumps(manifest._asdict(), indent=2) + "\n").encode())

    def _has_checkpoints(self) -> bool:
        return self.checkpoints.exists() and any(self.checkpoints.iterdir())

    def _is_empty(self) -> bool:
        """Whether the folder holds only a lock file and the temporary files of a killed run."""
        return self.path.is_dir() and all(
            file.name == LOCK_FILE or file.name.endswith(".tmp") for file in self.path.iterdir()
        )
