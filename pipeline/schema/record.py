"""What was fetched: a record, its sections, and the quotes that point into its text."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Quote:
    """A phrase of a record: ``record.text[start:end] == text``.

    Offsets count characters (code points) of `Record.text`, never tokens.
    """

    record_id: str
    start: int
    end: int
    text: str

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"Invalid quote {self.start}..{self.end}; must be 0 <= start <= end.")
        if self.end - self.start != len(self.text):
            raise ValueError(
                f"Invalid quote {self.start}..{self.end} of {self.text!r}; "
                f"its length is {len(self.text)}."
            )


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be read, or contradicts itself: shown to the reviewer, never repaired."""

    code: str
    message: str
    quote: Quote | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A part of an abstract; `label` as printed ("RESULTS"), `category` NLM's, "" where absent."""

    text: str
    label: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class MeshHeading:
    """A MeSH descriptor with its qualifiers; `major` if it or a qualifier is a major topic."""

    descriptor: str
    ui: str = ""
    major: bool = False
    qualifiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Correction:
    """A link to another publication: PubMed's RefType (RetractionIn, ErratumIn ...) and PMID."""

    ref_type: str
    pmid: str | None = None
    source: str = ""


@dataclass(frozen=True)
class Record:
    """A publication as fetched; `record_id` is "pmid<PMID>" unless the source names another.

    `text` is the title, a newline, and the sections, each on a line of its own, with its label
    before it where it has one. All quotes point into it.
    """

    record_id: str
    title: str
    sections: tuple[Section, ...] = ()
    pmid: str | None = None
    doi: str | None = None
    pmcid: str | None = None
    year: int | None = None
    journal: str = ""
    volume: str = ""
    pages: str = ""
    language: str = ""
    authors: tuple[str, ...] = ()
    mesh: tuple[MeshHeading, ...] = ()
    publication_types: tuple[str, ...] = ()
    registry_ids: tuple[str, ...] = ()
    corrections: tuple[Correction, ...] = ()

    @cached_property
    def text(self) -> str:
        """The title and the labelled sections, one a line."""
        lines = [f"{s.label}: {s.text}" if s.label else s.text for s in self.sections]
        return "\n".join([self.title, *lines])

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over every field: a revision of the record changes it."""
        canonical = json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def slab(self) -> str:
        """The study label of tables and plots: "Hughes 2008"; the journal where authors lack."""
        author = self.authors[0].split(",")[0].strip() if self.authors else ""
        name = author or self.journal or self.record_id
        return f"{name} {self.year}" if self.year else name

    def quote(self, start: int, end: int) -> Quote:
        """Return the quote of ``text[start:end]``."""
        return Quote(self.record_id, start, end, self.text[start:end])
