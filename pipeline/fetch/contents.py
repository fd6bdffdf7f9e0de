"""What a file of records holds, and a word on how it was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.schema import Problem, Record


@dataclass(frozen=True, slots=True)
class Contents:
    """A file as it lies on the disk, and what it holds."""

    name: str
    kind: str
    media_type: str
    raw: bytes
    records: tuple[Record, ...]
    problems: tuple[Problem, ...]

    @property
    def summary(self) -> str:
        """What was read, what was not and why: "a.ris: RIS, 12 records; 2 unread_record"."""
        return summary(self.name, self.kind, len(self.records), by_code(self.problems))


def by_code(problems: Iterable[Problem]) -> dict[str, int]:
    """Count problems by their code, in its order."""
    return dict(sorted(Counter(p.code for p in problems).items()))


def summary(file: str, kind: str, records: int, problems: dict[str, int]) -> str:
    """Return the line of a file in the report of an import."""
    said = ", ".join(f"{n} {code}" for code, n in problems.items())
    read = f"{file}: {kind}, {records} {'record' if records == 1 else 'records'}"
    return f"{read}; {said}" if said else read
