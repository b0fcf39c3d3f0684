"""Monitors a run for symptoms of failure, and records when each began and ended."""

from collections.abc import Sequence
from typing import NamedTuple

from gan_jax.errors import BadInput
from gan_jax.monitoring.diagnostics import MEMORY, SYMPTOMS
from gan_jax.runs.files import is_a, read_jsonl, write_jsonl
from gan_jax.runs.run_dir import CURE, Record, RunDir


class Finding(NamedTuple):
    """A symptom that showed from `since` to `until` images, or to the end of the run if `until` is None."""

    symptom: str
    since: int
    until: int | None = None


LINE = {"symptom": str, "since": int}
"""Required fields of every line of health.jsonl, and their types."""


class Monitor:
    """Checks the records of a run, one by one, for symptoms; findings depend on the records alone."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self.findings: list[Finding] = []

    @property
    def showing(self) -> list[str]:
        """Names of the symptoms at the last record."""
        return [finding.symptom for finding in self.findings if finding.until is None]

    def update(self, record: Record) -> bool:
        """Checks one more record; returns whether a symptom has appeared or disappeared."""
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


def write_findings(findings: Sequence[Finding], folder: RunDir) -> None:
    """Writes findings to health.jsonl, atomically."""
    write_jsonl(folder.health, [finding._asdict() for finding in findings])


def read_findings(folder: RunDir) -> list[Finding]:
    """Reads health.jsonl. Raises `BadInput` if it is damaged."""
    lines = read_jsonl(folder.health, LINE, CURE)
    ends = (line.get("until") for line in lines)
    if not all(end is None or is_a(end, int) for end in ends):
        raise BadInput(f"{folder.health} is damaged (`until` is not a number of images): {CURE}")
    return [Finding(line["symptom"], line["since"], line.get("until")) for line in lines]


def summary(folder: RunDir) -> list[str]:
    """Describes the findings of a run: one line per symptom, or a single line if there was none.

    Raises:
        BadInput: a file is damaged.
    """
    lines = []
    if rollbacks := folder.read_rollbacks():
        steps = ", ".join(f"{each['step']:,}" for each in rollbacks)
        lines.append(
            f"numbers were not finite in steps {steps}; the run continued from a checkpoint with other random numbers"
        )
    found = read_findings(folder)
    for symptom in SYMPTOMS:
        if spells := ", ".join(_spell(finding) for finding in found if finding.symptom == symptom.name):
            lines.append(f"{symptom.name}, {spells}: {symptom.means}; {symptom.cure}")
    return lines or ["no symptom of failure"]


def _spell(finding: Finding) -> str:
    if finding.until is None:
        return f"from {finding.since:,} images to the end"
    return f"from {finding.since:,} to {finding.until:,} images"
