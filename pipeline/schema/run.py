"""What a run did: its searches and the flow of records through it."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.schema.decision import Screening
from pipeline.schema.record import Problem, Record
from pipeline.schema.study import Study


@dataclass(frozen=True, slots=True)
class Search:
    """One search as it was run; `translation` and `warnings` are the database's own words.

    `count` counts each record that was found, `record_ids` each publication once: what it has less
    are duplicates.
    """

    search_id: str
    source: str
    query: str
    date: str
    count: int
    record_ids: tuple[str, ...]
    translation: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def duplicates(self) -> int:
        """How many of the records are another one's publication."""
        return self.count - len(self.record_ids)


@dataclass(frozen=True, slots=True)
class Batch:
    """One answer of a source as it came (`raw`), the records read from it, and what was not.

    `asked` counts the records that were asked for by their ids, 0 where a file was read.
    """

    name: str
    media_type: str
    raw: bytes
    records: tuple[Record, ...]
    problems: tuple[Problem, ...] = ()
    asked: int = 0


@dataclass(frozen=True, slots=True)
class Flow:
    """Counts of the PRISMA 2020 flow diagram's boxes; they add up."""

    identified: int
    duplicates: int
    screened: int
    excluded: tuple[tuple[str, int], ...]
    included: int
    in_meta_analysis: int
    extra: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        out = sum(n for _, n in self.excluded)
        if self.identified - self.duplicates != self.screened:
            raise ValueError(
                f"Invalid flow: {self.identified} identified - {self.duplicates} duplicates "
                f"is not {self.screened} screened."
            )
        if self.screened - out != self.included:
            raise ValueError(
                f"Invalid flow: {self.screened} screened - {out} excluded "
                f"is not {self.included} included."
            )


@dataclass(frozen=True, slots=True)
class Evidence:
    """A search with its records, what was read from them, and who is eligible."""

    search: Search
    records: tuple[Record, ...]
    studies: tuple[Study, ...]
    screenings: tuple[Screening, ...]
    problems: tuple[Problem, ...]

    @property
    def missing(self) -> int:
        """How many records the search found that are not here."""
        return len(self.search.record_ids) - len(self.records)
