"""What was fetched: a record, its sections, and the quotes that point into its text."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property

from pipeline.schema.registry import registry_spans


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
    """What could not be read, or contradicts itself: shown to the reviewer, never repaired.

    `record_id` names the record it is about, where that is known: of a record that PubMed has
    deleted ("delete_citation") it is all that is left.
    """

    code: str
    message: str
    quote: Quote | None = None
    record_id: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of an abstract; `label` as printed ("RESULTS"), `category` NLM's, "" where absent."""

    text: str
    label: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class OtherAbstract:
    """An abstract beside the main one: PubMed's type, its language (NLM's code), its sections."""

    type: str
    language: str = ""
    sections: tuple[Section, ...] = ()

    @property
    def text(self) -> str:
        """The labelled sections, one a line."""
        return "\n".join(_lines(self.sections))


@dataclass(frozen=True, slots=True)
class MeshHeading:
    """A MeSH descriptor with its qualifiers; `major` if it or a qualifier is a major topic.

    `major_names` are those of its names that carry the star; `automatic` if a machine assigned
    it (PubMed's AutoHM).
    """

    descriptor: str
    ui: str = ""
    major: bool = False
    qualifiers: tuple[str, ...] = ()
    qualifier_uis: tuple[str, ...] = ()
    major_names: tuple[str, ...] = ()
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class Chemical:
    """A substance that NLM indexed; `number` is its CAS, EC or UNII number ("0" where none)."""

    name: str
    ui: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Author:
    """A person, or a group (`collective`); `orcid` as 0000-0002-1825-0097."""

    last_name: str = ""
    fore_name: str = ""
    initials: str = ""
    suffix: str = ""
    collective: str = ""
    orcid: str = ""

    @property
    def name(self) -> str:
        """ "Surname, Initials", or a group's name whole."""
        if not self.last_name:
            return self.collective or self.fore_name
        given = self.initials or self.fore_name
        return f"{self.last_name}, {given}" if given else self.last_name


@dataclass(frozen=True, slots=True)
class Grant:
    """Who paid for the work."""

    number: str = ""
    agency: str = ""
    country: str = ""
    acronym: str = ""


@dataclass(frozen=True, slots=True)
class Dates:
    """A record's dates as YYYY-MM-DD, shorter where the day or month is not given, "" for none.

    `entrez` is the day it entered PubMed (CRDT), `pubmed` the day a date search finds it under
    (EDAT), `medline` that of its MeSH terms (MHDA); `created`, `completed` and `revised` are
    MEDLINE's own. `published` is printed as MEDLINE prints it ("1978 Dec-1979 Jan").
    """

    entrez: str = ""
    pubmed: str = ""
    medline: str = ""
    created: str = ""
    completed: str = ""
    revised: str = ""
    published: str = ""
    electronic: str = ""


@dataclass(frozen=True, slots=True)
class Correction:
    """A link to another publication: PubMed's RefType (RetractionIn, ErratumIn ...) and PMID."""

    ref_type: str
    pmid: str | None = None
    source: str = ""
    note: str = ""


@dataclass(frozen=True)
class Record:
    """A publication as fetched; `record_id` is "pmid<PMID>" unless the source names another.

    `text` is the title, a newline, and the sections, each on a line of its own, with its label
    before it where it has one. All quotes point into it. Other abstracts and plain-language
    summaries are no part of it.

    `registry_ids` are those that the source lists; `registry_mentions` finds those in `text`.
    `byline` holds the people and groups whose names are `authors`;
    `publication_type_uis` stand in the order of `publication_types`. `version` is the PMID's.
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
    version: int = 1
    vernacular_title: str = ""
    other_abstracts: tuple[OtherAbstract, ...] = ()
    plain_language_summaries: tuple[OtherAbstract, ...] = ()
    byline: tuple[Author, ...] = ()
    publication_type_uis: tuple[str, ...] = ()
    chemicals: tuple[Chemical, ...] = ()
    keywords: tuple[str, ...] = ()
    dates: Dates = Dates()
    grants: tuple[Grant, ...] = ()

    @cached_property
    def text(self) -> str:
        """The title and the labelled sections, one a line."""
        return "\n".join([self.title, *_lines(self.sections)])

    @cached_property
    def registry_mentions(self) -> tuple[Quote, ...]:
        """The trial registrations in the text, in order; one may be another trial's."""
        return tuple([self.quote(*span) for span in registry_spans(self.text)])

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


def _lines(sections: tuple[Section, ...]) -> list[str]:
    """Each section on one line, its label before it."""
    return [f"{s.label}: {s.text}" if s.label else s.text for s in sections]
