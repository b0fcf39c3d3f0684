"""Watching a run for the ways in which it can fail: what showed, since when, and until when."""

from collections.abc import Sequence
from typing import NamedTuple

from gan_jax.errors import BadInput
from gan_jax.monitoring.diagnostics import MEMORY, SYMPTOMS
from gan_jax.runs.files import is_a, read_jsonl, write_jsonl
from gan_jax.runs.run_dir import CURE, Record, RunDir


class Finding(NamedTuple):
    """A symptom that showed from the chunk that ended at `since` images to that at `until`; None: to the end."""

    symptom: str
    since: int
    until: int | None = None


LINE = {"symptom": str, "since": int}
"""What every line of the file says, and of what type."""


class Watch:
    """Looks at a run's records as they are written; what it finds follows from them alone."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self.findings: list[Finding] = []

    @property
    def showing(self) -> list[str]:
        """The symptoms that show at the last record."""
        return [finding.symptom for finding in self.findings if finding.until is None]

    def look(self, record: Record) -> bool:
        """Looks at one more record; returns whether a symptom has come or gone."""
        self._records = [*self._records[1 - MEMORY :], record]
        showed, images = self.showing, int(record["images"])
        for symptom in SYMPTOMS:
            shows = symptom.shows(self._records)
            if shows and symptom.name not in showed:
                self.findings.append(Finding(symptom.name, images))
            elif symptom.name in showed and not shows:
                at = next(i for i, f in enumerate(self.findings) if f.symptom == symptom.name and f.until is None)
                self.findings[at] = self.findings[at]._replace(until=images)
        return self.showing != showed


def write(findings: Sequence[Finding], folder: RunDir) -> None:
    """Writes what was found, a line for each, all or none."""
    write_jsonl(folder.health, [finding._asdict() for finding in findings])


def read(folder: RunDir) -> list[Finding]:
    """What was found. Raises `BadInput` where the file is damaged."""
    lines = read_jsonl(folder.health, LINE, CURE)
    ends = (line.get("until") for line in lines)
    if not all(end is None or is_a(end, int) for end in ends):
        raise BadInput(f"{folder.health} is damaged (an end is no number of images): {CURE}")
    return [Finding(line["symptom"], line["since"], line.get("until")) for line in lines]


def summary(folder: RunDir) -> list[str]:
    """What was found in a run, in words: a line for every symptom that showed, or one that says that none did.

    Raises:
        BadInput: the file of what was found is damaged.
    """
    lines = []
    if back := folder.all_rollbacks():
        steps = ", ".join(f"{each['step']:,}" for each in back)
        lines.append(f"numbers were not finite in steps {steps}; the run went back and on with other random numbers")
    found = read(folder)
    for symptom in SYMPTOMS:
        if spells := ", ".join(_spell(finding) for finding in found if finding.symptom == symptom.name):
            lines.append(f"{symptom.name}, {spells}: {symptom.means}; {symptom.cure}")
    return lines or ["nothing that looks like a failure"]


def _spell(finding: Finding) -> str:
    if finding.until is None:
        return f"from {finding.since:,} images to the end"
    return f"from {finding.since:,} to {finding.until:,} images"
